// How the checks on the guest's segment registers are violated, one at a time.

import { type Edit, flip, put } from './entry-states.js';
import type { EntryViolation } from './entry-violations.js';

const SEGMENTS = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'] as const;
const BEYOND_32 = 1n << 32n;
const NOT_CANONICAL = 1n << 60n;
const S = 0x10n;
const P = 0x80n;
const G = 0x8000n;
const usableLdtr: readonly Edit[] = [put('Guest LDTR access rights', 0x82n)];

const virtual8086 = Object.fromEntries(
  SEGMENTS.flatMap((register): [string, EntryViolation][] => {
    const name = register.toLowerCase();
    const base = 'virtual8086';
    return [
      [`${name}.v86-base`, { base, violate: [flip(`Guest ${register} base`, 0x10n)] }],
      [`${name}.v86-limit`, { base, violate: [put(`Guest ${register} limit`, 0xfffen)] }],
      [`${name}.v86-ar`, { base, violate: [flip(`Guest ${register} access rights`, 0x4000n)] }],
    ];
  }),
);

const ordinary = Object.fromEntries(
  SEGMENTS.flatMap((register): [string, EntryViolation][] => {
    const name = register.toLowerCase();
    const rights = `Guest ${register} access rights` as const;
    return [
      [`${name}.s`, { violate: [flip(rights, S)] }],
      [`${name}.p`, { violate: [flip(rights, P)] }],
      [`${name}.reserved`, { violate: [flip(rights, 0x2_0000n)] }],
      [`${name}.limit-g`, { violate: [flip(rights, G)] }],
    ];
  }),
);

const real = { base: 'real' } as const;

export const SEGMENT_VIOLATIONS: Readonly<Record<string, EntryViolation>> = {
  'tr.ti': { violate: [flip('Guest TR selector', 4n)] },
  'ldtr.ti': { given: usableLdtr, violate: [flip('Guest LDTR selector', 4n)] },
  'ss.rpl': { violate: [flip('Guest CS selector', 1n)] },
  ...virtual8086,
  'tr.base': { violate: [put('Guest TR base', NOT_CANONICAL)] },
  'fs.base': { violate: [put('Guest FS base', NOT_CANONICAL)] },
  'gs.base': { violate: [put('Guest GS base', NOT_CANONICAL)] },
  'ldtr.base': { given: usableLdtr, violate: [put('Guest LDTR base', NOT_CANONICAL)] },
  'cs.base': { violate: [put('Guest CS base', BEYOND_32)] },
  'ss.base-hi': { violate: [put('Guest SS base', BEYOND_32)] },
  'ds.base-hi': { violate: [put('Guest DS base', BEYOND_32)] },
  'es.base-hi': { violate: [put('Guest ES base', BEYOND_32)] },
  'cs.type': { violate: [flip('Guest CS access rights', 1n)] },
  'ss.type': { violate: [flip('Guest SS access rights', 2n)] },
  'data.type-accessed': { violate: [flip('Guest FS access rights', 1n)] },
  'data.type-readable': {
    given: [put('Guest GS access rights', 0xc09bn)],
    violate: [put('Guest GS access rights', 0xc099n)],
  },
  ...ordinary,
  'cs.dpl-type3': { ...real, violate: [flip('Guest CS access rights', 0x20n)] },
  'cs.dpl-nonconforming': { violate: [flip('Guest CS access rights', 0x60n)] },
  'cs.dpl-conforming': {
    given: [put('Guest CS access rights', 0xa09fn)],
    violate: [put('Guest CS access rights', 0xa0ffn)],
  },
  'ss.dpl-rpl': {
    given: [
      put('Guest CS selector', 0xbn),
      put('Guest CS access rights', 0xa0fbn),
      put('Guest SS access rights', 0xc0f3n),
    ],
    violate: [flip('Guest CS selector', 3n)],
    satisfy: [put('Guest SS selector', 0x13n)],
  },
  'ss.dpl-zero': { ...real, violate: [flip('Guest SS access rights', 0x20n)] },
  'data.dpl-rpl': { violate: [flip('Guest ES selector', 3n)] },
  'cs.db-l': { violate: [flip('Guest CS access rights', 0x4000n)] },
  'fred-ss-dpl': {
    processor: 'complete',
    given: [flip('Guest CR4', BEYOND_32)],
    violate: [flip('Guest CS access rights', 0x6000n)],
  },
  'tr.type': { violate: [put('Guest TR access rights', 0x83n)] },
  'tr.usable': { violate: [flip('Guest TR access rights', 0x1_0000n)] },
  'tr.s': { violate: [flip('Guest TR access rights', S)] },
  'tr.p': { violate: [flip('Guest TR access rights', P)] },
  'tr.limit-g': { violate: [flip('Guest TR access rights', G)] },
  'tr.reserved': { violate: [flip('Guest TR access rights', 0x100n)] },
  'ldtr.type': { given: usableLdtr, violate: [flip('Guest LDTR access rights', 1n)] },
  'ldtr.s': { given: usableLdtr, violate: [flip('Guest LDTR access rights', S)] },
  'ldtr.p': { given: usableLdtr, violate: [flip('Guest LDTR access rights', P)] },
  'ldtr.limit-g': { given: usableLdtr, violate: [flip('Guest LDTR access rights', G)] },
  'ldtr.reserved': { given: usableLdtr, violate: [flip('Guest LDTR access rights', 0x800n)] },
};
