import { describe, expect, it } from 'vitest';
import { EPT_MISCONFIGURATIONS } from '../../src/ept/misconfiguration.js';
import {
  ACCESSES,
  contextWith,
  entriesWith,
  memoryWith,
  PATHS,
  type Path,
  profileWith,
  shiftsOf,
  walkOf,
} from '../support/ept.js';

const ALL = 7n;
const WIDTH = 46; // of intel-server
const bits = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index);
const isPage = (path: Path, depth: number) => depth === shiftsOf(path).length - 1;

/** The rule that an entry violates when a bit is flipped at a depth; undefined if it goes on. */
function flipped(path: Path, at: number, bit: number, profile = profileWith((value) => value)): string | undefined {
  const entries = entriesWith(path, () => ALL).map((entry, depth) =>
    depth === at ? entry ^ (1n << BigInt(bit)) : entry,
  );
  return walkOf(memoryWith(path, entries), contextWith({ ...path, profile }), ACCESSES.read).misconfiguration?.id;
}

/** Bits whose flip makes an entry with all rights misconfigured, as the tables of the manual have them. */
function reservedBits(path: Path, depth: number): readonly number[] {
  const beyond = bits(WIDTH, 51);
  if (!isPage(path, depth))
    return [3, 4, 5, 6, ...(shiftsOf(path)[depth] === 39 || shiftsOf(path)[depth] === 48 ? [7] : []), ...beyond];
  return [...bits(12, path.shift - 1), ...beyond];
}

describe.each(PATHS)('with $walkLength levels and pages of 2^$shift bytes', (path) => {
  const depths = shiftsOf(path).map((_, depth) => depth);

  it.each(depths)('the entry at depth %i has the reserved bits of its format', (depth) => {
    // Bits 2:0 are rights; flips of 5:3 in a page make other memory types; bit 7 makes a page of a table.
    const looked = [...bits(8, 63), 6, ...(isPage(path, depth) ? [] : [3, 4, 5])];
    const reserved = reservedBits(path, depth).filter((bit) => bit !== 7);
    expect(looked.filter((bit) => flipped(path, depth, bit) !== undefined).toSorted((a, b) => a - b)).toEqual(
      reserved.toSorted((a, b) => a - b),
    );
  });

  it('takes no memory type but 0, 1, 4, 5 and 6', () => {
    const accepted = bits(0, 7).filter((type) => {
      const entries = entriesWith(path, () => ALL).map((entry, depth) =>
        isPage(path, depth) ? (entry & ~0x38n) | (BigInt(type) << 3n) : entry,
      );
      return walkOf(memoryWith(path, entries), contextWith(path), ACCESSES.read).misconfiguration === undefined;
    });
    expect(accepted).toEqual([0, 1, 4, 5, 6]);
  });

  it('has no page above 1 GByte', () => {
    for (const [depth, shift] of shiftsOf(path).entries())
      if (shift > 30) expect(flipped(path, depth, 7)).toBe('vmx.ept.table-reserved');
  });

  it('takes an entry that is not present, whatever its other bits are', () => {
    for (const depth of depths) {
      const entries = entriesWith(path, () => ALL).with(depth, 0xffff_ffff_ffff_f8f8n);
      expect(walkOf(memoryWith(path, entries), contextWith(path), ACCESSES.read).outcome).toBe('violation');
    }
  });
});

it.each([
  [21, 1n << 16n],
  [30, 1n << 17n],
] as const)('reserves bit 7 where pages of 2^%i bytes are not reported', (shift, capability) => {
  const path = { walkLength: 4, shift } as const;
  const profile = profileWith((value) => value & ~capability);
  const walk = walkOf(
    memoryWith(
      path,
      entriesWith(path, () => ALL),
    ),
    contextWith({ ...path, profile }),
    ACCESSES.read,
  );
  expect(walk.misconfiguration?.id).toBe('vmx.ept.table-reserved');
});

it.each([
  ['vmx.ept.write-only', 2n],
  ['vmx.ept.write-only', 6n],
  ['vmx.ept.execute-only', 4n],
] as const)('names %s for rights %i', (id, rights) => {
  const profile = profileWith((value) => value & ~1n);
  for (const path of PATHS) {
    const entries = entriesWith(path, (depth) => (isPage(path, depth) ? rights : ALL));
    expect(
      walkOf(memoryWith(path, entries), contextWith({ ...path, profile }), ACCESSES.read).misconfiguration?.id,
    ).toBe(id);
  }
});

it('takes bit 10 alone for execute-only, with mode-based execute control', () => {
  const path = { walkLength: 4, shift: 12 } as const;
  const memory = memoryWith(
    path,
    entriesWith(path, (depth) => (isPage(path, depth) ? 0x400n : ALL | 0x400n)),
  );
  const without = profileWith((value) => value & ~1n);
  const outcomes = [true, false].map((modeBasedExecuteControl) =>
    [profileWith((value) => value), without].map(
      (profile) => walkOf(memory, contextWith({ modeBasedExecuteControl, profile }), ACCESSES['user fetch']).outcome,
    ),
  );
  expect(outcomes).toEqual([
    ['translated', 'misconfiguration'],
    ['violation', 'violation'],
  ]);
});

it('comes before the violation of a later entry, and after that of an earlier one', () => {
  const path = { walkLength: 4, shift: 12 } as const;
  const entries = entriesWith(path, () => ALL);
  const misconfigured = 2n;
  const outcome = (changed: readonly bigint[]) =>
    walkOf(memoryWith(path, changed), contextWith({}), ACCESSES.write).outcome;
  expect(outcome(entries.with(1, misconfigured).with(2, 0n))).toBe('misconfiguration');
  expect(outcome(entries.with(1, 0n).with(2, misconfigured))).toBe('violation');
  const readOnly = (entries[1] ?? 0n) & ~2n;
  expect(outcome(entries.with(1, readOnly).with(3, misconfigured))).toBe('misconfiguration');
});

it('explains every rule in one sentence that says what to do', () => {
  for (const { explain } of EPT_MISCONFIGURATIONS) expect(explain).toMatch(/^[A-Z].{20,}\.$/);
});
