// EPT paging structures for tests: a memory of doublewords, the entries of one path from the root to a page, and profiles
// with other capabilities.
import { findProfile, type ProcessorProfile, type SecondLevelAccess } from '@retrovisor/core';
import { type EptContext, type EptControls, eptContext } from '../../src/ept/context.js';
import { neededRight } from '../../src/ept/violation.js';
import { EptWalk, walkEpt } from '../../src/ept/walk.js';

/** A guest-physical address with another index at each level, and its offset in a page of 4 KBytes. */
export const GUEST_PHYSICAL = 0x0000_1234_5678_9abc;
export const EPT_ROOT = 0x10_0000;
/** Aligned to 1 GByte. */
export const HOST_PAGE = 0x3_4000_0000n;

/** Doublewords by address. What was never written is 0. */
export class TestMemory {
  readonly #words = new Map<number, number>();

  pagingWord(address: number): number {
    return address / 4;
  }

  wordAt(word: number): number {
    return this.#words.get(word) ?? 0;
  }

  setBits(address: number, bits: number): void {
    this.#words.set(address / 4, this.wordAt(address / 4) | bits);
  }

  read(address: number): bigint {
    const [low, high] = [this.wordAt(address / 4), this.wordAt(address / 4 + 1)];
    return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  }

  write(address: number, value: bigint): void {
    this.#words.set(address / 4, Number(BigInt.asIntN(32, value)));
    this.#words.set(address / 4 + 1, Number(BigInt.asIntN(32, value >> 32n)));
  }
}

/** A path through the structures: `shift` is the lowest bit of the index of its last entry. */
export interface Path {
  readonly walkLength: 4 | 5;
  readonly shift: 12 | 21 | 30;
}

export const PATHS: readonly Path[] = ([4, 5] as const).flatMap((walkLength) =>
  ([12, 21, 30] as const).map((shift) => ({ walkLength, shift })),
);

/** The lowest bits of the indices, from the root down. */
export function shiftsOf({ walkLength, shift }: Path): readonly number[] {
  return [48, 39, 30, 21, 12].filter((each) => each >= shift && each <= (walkLength === 5 ? 48 : 39));
}

/** Where the entries of a path lie: each table in a page of its own. */
export function entryAddresses(path: Path, guestPhysical = GUEST_PHYSICAL): readonly number[] {
  return shiftsOf(path).map((shift, depth) => {
    const index = Number((BigInt(guestPhysical) >> BigInt(shift)) & 0x1ffn);
    return EPT_ROOT + depth * 0x1000 + index * 8;
  });
}

/** An entry without rights: the address of the next table or of the page, its size, write-back. */
function bareEntry(path: Path, depth: number): bigint {
  if (depth < shiftsOf(path).length - 1) return BigInt(EPT_ROOT + (depth + 1) * 0x1000);
  return HOST_PAGE | 0x30n | (path.shift === 12 ? 0n : 0x80n);
}

/** The bare entries with bits set. */
export function entriesWith(path: Path, bits: (depth: number) => bigint): readonly bigint[] {
  return shiftsOf(path).map((_, depth) => bareEntry(path, depth) | bits(depth));
}

export function memoryWith(path: Path, entries: readonly bigint[], guestPhysical = GUEST_PHYSICAL): TestMemory {
  const memory = new TestMemory();
  for (const [depth, address] of entryAddresses(path, guestPhysical).entries())
    memory.write(address, entries[depth] ?? 0n);
  return memory;
}

/** intel-server with another IA32_VMX_EPT_VPID_CAP. */
export function profileWith(change: (capabilities: bigint) => bigint): ProcessorProfile {
  const profile = findProfile('intel-server');
  return { ...profile, msrs: { ...profile.msrs, [0x48c]: change(profile.msrs[0x48c] ?? 0n) } };
}

export interface ContextOptions extends Partial<EptControls> {
  readonly walkLength?: 4 | 5;
  readonly accessedAndDirty?: boolean;
  readonly profile?: ProcessorProfile;
}

export function contextWith({
  walkLength = 4,
  accessedAndDirty = false,
  profile,
  ...controls
}: ContextOptions): EptContext {
  const eptp = BigInt(EPT_ROOT) | 6n | (BigInt(walkLength - 1) << 3n) | (accessedAndDirty ? 0x40n : 0n);
  return eptContext(profile ?? findProfile('intel-server'), eptp, {
    modeBasedExecuteControl: false,
    subPageWritePermissions: false,
    ...controls,
  });
}

/** Rights of a linear address as the guest's own tables say. */
function guestPage(rights: number, executeDisabled = false): SecondLevelAccess['page'] {
  return { base: 0, shift: 12, rights, executeDisabled, protectionKey: 0, global: false, dirty: true, entries: [] };
}

const LINEAR = { low: 0x1000, high: 0 };
const [SUPERVISOR, USER] = [guestPage(2), guestPage(6)];
const final = (kind: SecondLevelAccess['kind'], page: SecondLevelAccess['page']): SecondLevelAccess => ({
  kind,
  purpose: 'final',
  linear: LINEAR,
  user: false,
  page,
});
const walked = (kind: SecondLevelAccess['kind']): SecondLevelAccess => ({
  ...final(kind, undefined),
  purpose: 'page walk',
});

export const ACCESSES = {
  read: final('read', SUPERVISOR),
  write: final('write', USER),
  'supervisor fetch': final('fetch', SUPERVISOR),
  'user fetch': final('fetch', USER),
  'fetch without paging': final('fetch', undefined),
  'page-walk read': walked('read'),
  'page-walk write': walked('write'),
  'PDPTE load': { kind: 'read', purpose: 'PDPTE load', linear: undefined, user: false, page: undefined },
} as const satisfies Readonly<Record<string, SecondLevelAccess>>;

/** Walks once. */
export function walkOf(
  memory: TestMemory,
  context: EptContext,
  access: SecondLevelAccess,
  guestPhysical = GUEST_PHYSICAL,
): EptWalk {
  const walk = new EptWalk();
  walkEpt(memory, context, guestPhysical, neededRight(context, access), walk);
  return walk;
}
