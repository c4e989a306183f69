// A VMCS region or VMXON region in memory (SDM, "Format of the VMCS Region"). The manual fixes the first eight bytes:
// the revision identifier and the VMX-abort indicator. The rest is the implementation's own, and this is ours: there is
// no other copy of a VMCS, so that it is shared, corrupted and time-travelled like any other memory.
//
//   0   VMCS revision identifier; bit 31 is the shadow-VMCS indicator
//   4   VMX-abort indicator
//   8   launch state
//   16  the fields, little-endian and without gaps: widest first, then in the order of encodings
//
// Fields that come with FRED or secure-arbitration mode lie last, so that the others fit in the 1280 bytes that
// IA32_VMX_BASIC reports on processors without those.
import type { Control } from './controls.js';
import { Entry, SecondaryExit } from './controls.js';
import type { AccessType, VmcsField } from './field-encoding.js';
import { VMCS_FIELDS } from './fields.js';

/** Bytes of the page that holds a region: its alignment. */
export const REGION_ALIGNMENT = 4096n;

/** Offsets in bytes of what is not a field; each is 4 bytes. */
export const REGION_HEADER = {
  'VMCS revision identifier': 0,
  'VMX-abort indicator': 4,
  'launch state': 8,
} as const;

/** Bit 31 of the first doubleword. */
export const SHADOW_VMCS_INDICATOR = 0x8000_0000n;

/**
 * Values of the launch state. Zeroed memory is in neither of the two states: only VMCLEAR initialises it.
 */
export const LAUNCH_STATE = { uninitialized: 0n, clear: 1n, launched: 2n } as const;

const FIRST_FIELD = 16;
const FRED: readonly Control[] = [Entry['load FRED'], SecondaryExit['load FRED'], SecondaryExit['save FRED']];

const OFFSETS: ReadonlyMap<VmcsField, number> = layOut();

function layOut(): ReadonlyMap<VmcsField, number> {
  const offsets = new Map<VmcsField, number>();
  let offset = FIRST_FIELD;
  for (const field of [...VMCS_FIELDS].sort((one, other) => placeOf(one) - placeOf(other))) {
    offsets.set(field, offset);
    offset += field.bytes;
  }
  return offsets;
}

/** Sorting is stable: fields of one place keep the order of encodings. */
function placeOf({ existsWhen, bytes }: VmcsField): number {
  const isLast = existsWhen === 'SEAM' || [existsWhen].flat().some((condition) => FRED.includes(condition as Control));
  return (isLast ? 8 : 0) - bytes;
}

/**
 * Where a field lies in a region, in bytes from its start.
 * @example fieldOffset(fieldNamed('Address of I/O bitmap A')) // 16
 */
export function fieldOffset(field: VmcsField): number {
  return OFFSETS.get(field) ?? Number.NaN;
}

/** Memory in which a region lies: a draft's, or a state's through `memoryOf`. */
export interface RegionMemory {
  read(address: bigint, bytes: 2 | 4 | 8): bigint;
}

interface WritableMemory extends RegionMemory {
  write(address: bigint, bytes: 2 | 4 | 8, value: bigint): void;
}

/** A word of the region's header. */
export function readHeader(memory: RegionMemory, region: bigint, word: keyof typeof REGION_HEADER): bigint {
  return memory.read(region + BigInt(REGION_HEADER[word]), 4);
}

export function writeHeader(
  memory: WritableMemory,
  region: bigint,
  word: keyof typeof REGION_HEADER,
  value: bigint,
): void {
  memory.write(region + BigInt(REGION_HEADER[word]), 4, value);
}

/** A field, or bits 63:32 of it, zero-extended. */
export function readField(memory: RegionMemory, region: bigint, field: VmcsField, access: AccessType = 'full'): bigint {
  const address = region + BigInt(fieldOffset(field));
  return access === 'high' ? memory.read(address + 4n, 4) : memory.read(address, field.bytes);
}

/** Stores a field, or bits 63:32 of it; bits of the value beyond that are ignored. */
export function writeField(
  memory: WritableMemory,
  region: bigint,
  field: VmcsField,
  value: bigint,
  access: AccessType = 'full',
): void {
  const address = region + BigInt(fieldOffset(field));
  if (access === 'high') memory.write(address + 4n, 4, value);
  else memory.write(address, field.bytes, value);
}
