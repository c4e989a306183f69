import type { SecondLevelAccess } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { violationQualification } from '../../src/ept/violation.js';
import {
  ACCESSES,
  contextWith,
  EPT_ROOT,
  entriesWith,
  entryAddresses,
  GUEST_PHYSICAL,
  HOST_PAGE,
  memoryWith,
  PATHS,
  type Path,
  profileWith,
  shiftsOf,
  TestMemory,
  walkOf,
} from '../support/ept.js';

const [R, W, X, XU] = [1n, 2n, 4n, 0x400n];
/** Every combination of the four rights. */
const RIGHTS = Array.from({ length: 16 }, (_, bits) => BigInt(bits & 7) | (bits & 8 ? XU : 0n));
const EXECUTE_ONLY = 1n;

interface Case {
  readonly path: Path;
  readonly modeBased: boolean;
  readonly executeOnly: boolean;
  readonly accessedAndDirty: boolean;
}

const CASES: readonly Case[] = PATHS.flatMap((path) =>
  [false, true].flatMap((modeBased) =>
    [false, true].flatMap((executeOnly) =>
      [false, true].map((accessedAndDirty) => ({ path, modeBased, executeOnly, accessedAndDirty })),
    ),
  ),
);

/** What the manual says, computed from the entries alone: entry by entry, then the rights of all of them together. */
function expected(
  { modeBased, executeOnly, accessedAndDirty }: Case,
  entries: readonly bigint[],
  name: keyof typeof ACCESSES,
) {
  const mask = modeBased ? R | W | X | XU : R | W | X;
  const access: SecondLevelAccess = ACCESSES[name];
  let all = mask;
  for (const entry of entries) {
    const rights = entry & mask;
    all &= rights;
    if (rights === 0n) return violation(access, accessedAndDirty, 0n);
    if ((rights & R) === 0n && ((rights & W) !== 0n || !executeOnly)) return 'misconfiguration';
  }
  const userAddress = name === 'user fetch' || name === 'fetch without paging';
  const needed: Record<string, bigint> = {
    read: R,
    write: W,
    'supervisor fetch': X,
    'user fetch': modeBased && userAddress ? XU : X,
    'fetch without paging': modeBased && userAddress ? XU : X,
    'page-walk read': accessedAndDirty ? W : R,
    'page-walk write': W,
    'PDPTE load': R,
  };
  return (all & (needed[name] ?? 0n)) === 0n ? violation(access, accessedAndDirty, all) : 'translated';
}

function violation(access: SecondLevelAccess, accessedAndDirty: boolean, all: bigint): string {
  const bits: string[] = [];
  const walked = access.purpose === 'page walk';
  const writes = access.kind === 'write' || (walked && accessedAndDirty);
  if (access.kind === 'read' || walked) bits.push('read');
  if (writes) bits.push('write');
  if (access.kind === 'fetch') bits.push('fetch');
  if (all & R) bits.push('R');
  if (all & W) bits.push('W');
  if (all & X) bits.push('X');
  if (all & XU) bits.push('XU');
  if (access.linear) bits.push('linear');
  if (access.linear && !walked) bits.push('final');
  return bits.join(' ');
}

const QUALIFICATION_BITS = ['read', 'write', 'fetch', 'R', 'W', 'X', 'XU', 'linear', 'final'];
const named = (qualification: number): string =>
  QUALIFICATION_BITS.filter((_, bit) => (qualification >> bit) & 1).join(' ');

function found(tested: Case, entries: readonly bigint[], name: keyof typeof ACCESSES): string {
  const { path, modeBased, executeOnly, accessedAndDirty } = tested;
  const profile = profileWith((value) => (executeOnly ? value | EXECUTE_ONLY : value & ~EXECUTE_ONLY));
  const context = contextWith({ ...path, profile, accessedAndDirty, modeBasedExecuteControl: modeBased });
  const access = ACCESSES[name];
  const walk = walkOf(memoryWith(path, entries), context, access);
  return walk.outcome === 'violation' ? named(violationQualification(context, access, walk)) : walk.outcome;
}

function mismatches(tested: Case, tables: Iterable<readonly bigint[]>): readonly unknown[] {
  const wrong: unknown[] = [];
  for (const entries of tables) {
    for (const name of Object.keys(ACCESSES) as (keyof typeof ACCESSES)[]) {
      const [is, should] = [found(tested, entries, name), expected(tested, entries, name)];
      if (is !== should) wrong.push({ name, entries, is, should });
    }
  }
  return wrong;
}

const ALL = R | W | X | XU;
const title = ({ path, modeBased, executeOnly, accessedAndDirty }: Case) =>
  `${path.walkLength} levels, pages of 2^${path.shift} bytes, XU ${modeBased}, execute-only ${executeOnly}, A/D ${accessedAndDirty}`;

describe.each(CASES.map((tested) => [title(tested), tested] as const))('%s', (_, tested) => {
  it('decides by the rights of each level', () => {
    const levels = shiftsOf(tested.path).map((_shift, depth) => depth);
    const tables = levels.flatMap((level) =>
      RIGHTS.map((rights) => entriesWith(tested.path, (depth) => (depth === level ? rights : ALL))),
    );
    expect(mismatches(tested, tables)).toEqual([]);
  });

  it('decides by the rights of two levels together', () => {
    const last = shiftsOf(tested.path).length - 1;
    const tables = RIGHTS.flatMap((upper) =>
      RIGHTS.map((lower) => entriesWith(tested.path, (depth) => (depth === 1 ? upper : depth === last ? lower : ALL))),
    );
    expect(mismatches(tested, tables)).toEqual([]);
  });
});

describe('a translation', () => {
  it.each(PATHS)('leads to the byte of the page: $walkLength levels, 2^$shift bytes', (path) => {
    const walk = walkOf(
      memoryWith(
        path,
        entriesWith(path, () => ALL),
      ),
      contextWith(path),
      ACCESSES.read,
    );
    const within = BigInt(GUEST_PHYSICAL) & ((1n << BigInt(path.shift)) - 1n);
    expect(walk.outcome).toBe('translated');
    expect(BigInt(walk.physical)).toBe(HOST_PAGE | within);
    expect([...walk.addresses.slice(0, walk.length)]).toEqual(entryAddresses(path));
  });

  it('of 52 bits needs five levels', () => {
    const path = { walkLength: 5, shift: 12 } as const;
    const guestPhysical = 0xf_edcb_a987_6543;
    const memory = memoryWith(
      path,
      entriesWith(path, () => ALL),
      guestPhysical,
    );
    const walk = walkOf(memory, contextWith(path), ACCESSES.read, guestPhysical);
    expect([walk.outcome, walk.physical]).toEqual(['translated', Number(HOST_PAGE) + 0x543]);
    const context = contextWith({ walkLength: 4 });
    const refused = walkOf(memory, context, ACCESSES.write, 2 ** 48);
    expect([refused.outcome, refused.length]).toEqual(['violation', 0]);
    expect(named(violationQualification(context, ACCESSES.write, refused))).toBe('write linear final');
  });

  it('reads absent memory as ones, which are no entry', () => {
    const absent = { pagingWord: () => -2, wordAt: () => -1 };
    const memory = Object.assign(new TestMemory(), absent);
    expect(walkOf(memory, contextWith({}), ACCESSES.read).outcome).toBe('misconfiguration');
  });

  it('finds its root in bits 51:12 of the EPTP', () => {
    const context = contextWith({ accessedAndDirty: true });
    expect([context.root, context.memoryType, context.walkLength]).toEqual([EPT_ROOT, 6, 4]);
  });
});
