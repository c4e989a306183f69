// Checks on the segment registers of the guest (SDM, "Checks on Guest Segment Registers"), in the manual's order:
// selectors, base addresses, limits and access rights. The access rights are in guest-access-rights.ts.
import { RFLAGS, sdm } from '@retrovisor/core';
import { Secondary } from '../../controls.js';
import { fieldNamed } from '../../fields.js';
import type { EntryState } from '../entry-state.js';
import { accessRights, GUEST_SEGMENTS, isUsable, type SegmentRegister } from '../guest-segments.js';
import { hasCanonicalAddress } from './address.js';
import { defineEntryChecks, type EntryCheckRow, INVALID_GUEST_STATE } from './entry-check.js';
import { accessRightsChecks } from './guest-access-rights.js';

const GUEST_RFLAGS = fieldNamed('Guest RFLAGS');
const UNRESTRICTED = Secondary['unrestricted guest'];
const RPL = 3;
const TI = 4;
/** The access rights of every segment in virtual-8086 mode: present, DPL 3, expand-up data that may be written. */
const VIRTUAL_8086 = 0xf3;

/** In the order in which the inventories of the checks name them. */
const CODE_AND_DATA = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'] as const;

const id = (register: SegmentRegister, check: string) => `vmx.entry.guest.${register.toLowerCase()}.${check}` as const;

/** The guest will be in virtual-8086 mode. */
function isVirtual8086(state: EntryState): boolean {
  return ((state.word(GUEST_RFLAGS) >>> RFLAGS.bits.VM) & 1) === 1;
}

const selectors: readonly EntryCheckRow[] = [
  {
    id: id('TR', 'ti'),
    reads: ['Guest TR selector'],
    holds: (state) => (state.word(GUEST_SEGMENTS.TR.selector) & TI) === 0,
    explain: 'The guest TR selector must have TI, bit 2, 0: a TSS descriptor is in the GDT.',
  },
  {
    id: id('LDTR', 'ti'),
    reads: ['Guest LDTR access rights', 'Guest LDTR selector'],
    appliesWhen: (state) => isUsable(accessRights(state, 'LDTR')),
    holds: (state) => (state.word(GUEST_SEGMENTS.LDTR.selector) & TI) === 0,
    explain: 'The guest LDTR selector must have TI, bit 2, 0: an LDT descriptor is in the GDT.',
  },
  {
    id: id('SS', 'rpl'),
    reads: ['Guest RFLAGS', UNRESTRICTED, 'Guest SS selector', 'Guest CS selector'],
    appliesWhen: (state) => !isVirtual8086(state) && !state.control(UNRESTRICTED),
    holds: (state) => ((state.word(GUEST_SEGMENTS.SS.selector) ^ state.word(GUEST_SEGMENTS.CS.selector)) & RPL) === 0,
    explain: 'RPL, bits 1:0, of the guest SS selector must be equal to that of the CS selector.',
  },
];

/** Base, limit and access rights in virtual-8086 mode. */
const virtual8086 = CODE_AND_DATA.flatMap((register): readonly EntryCheckRow[] => {
  const fields = GUEST_SEGMENTS[register];
  return [
    {
      id: id(register, 'v86-base'),
      reads: ['Guest RFLAGS', `Guest ${register} base`, `Guest ${register} selector`],
      appliesWhen: isVirtual8086,
      holds: (state) => state.word(fields.base) === state.word(fields.selector) << 4 && state.high(fields.base) === 0,
      explain: `In virtual-8086 mode the guest ${register} base must be the selector shifted left by 4.`,
    },
    {
      id: id(register, 'v86-limit'),
      reads: ['Guest RFLAGS', `Guest ${register} limit`],
      appliesWhen: isVirtual8086,
      holds: (state) => state.word(fields.limit) === 0xffff,
      explain: `In virtual-8086 mode the guest ${register} limit must be FFFFH.`,
    },
    {
      id: id(register, 'v86-ar'),
      reads: ['Guest RFLAGS', `Guest ${register} access rights`],
      appliesWhen: isVirtual8086,
      holds: (state) => state.word(fields.accessRights) === VIRTUAL_8086,
      explain: `In virtual-8086 mode the guest ${register} access rights must be F3H.`,
    },
  ];
});

const canonicalBase = (register: 'TR' | 'FS' | 'GS' | 'LDTR'): EntryCheckRow => ({
  id: id(register, 'base'),
  reads: register === 'LDTR' ? ['Guest LDTR access rights', 'Guest LDTR base'] : [`Guest ${register} base`],
  ...(register === 'LDTR' ? { appliesWhen: (state) => isUsable(accessRights(state, 'LDTR')) } : {}),
  holds: (state) => hasCanonicalAddress(state, GUEST_SEGMENTS[register].base),
  explain: `The guest ${register} base must be a canonical address${register === 'FS' || register === 'GS' ? ', usable or not' : ''}.`,
});

const base32 = (register: 'CS' | 'SS' | 'DS' | 'ES'): EntryCheckRow => ({
  id: id(register, register === 'CS' ? 'base' : 'base-hi'),
  reads: register === 'CS' ? ['Guest CS base'] : [`Guest ${register} access rights`, `Guest ${register} base`],
  ...(register === 'CS' ? {} : { appliesWhen: (state) => isUsable(accessRights(state, register)) }),
  holds: (state) => state.high(GUEST_SEGMENTS[register].base) === 0,
  explain: `Bits 63:32 of the guest ${register} base must be 0.`,
  ...(register === 'SS' ? { note: 'Bochs does not look at SS of a guest in 64-bit mode with RPL 0.' } : {}),
});

export const guestSegmentChecks = defineEntryChecks(sdm('Checks on Guest Segment Registers'), INVALID_GUEST_STATE, [
  ...selectors,
  ...virtual8086,
  ...(['TR', 'FS', 'GS', 'LDTR'] as const).map(canonicalBase),
  ...(['CS', 'SS', 'DS', 'ES'] as const).map(base32),
  ...accessRightsChecks,
]);
