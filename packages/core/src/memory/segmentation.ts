// Logical to linear address outside 64-bit mode: limit, type and presence (SDM, "Limit Checking"). In 64-bit mode offsets
// are linear addresses but for FS and GS, and the closures add those bases themselves.
import { GP, raise, SS } from '../interrupt/exceptions.js';
import { SEGMENT_REGISTERS, slotOf } from '../register/register-file.js';
import type { SegmentIndex } from './linear-memory.js';

/** Bits of the access rights as VMX prints them: descriptor bits 55:40, bit 16 unusable. */
export const ACCESS = {
  type: 0xf,
  executable: 8,
  expandDown: 4,
  writable: 2,
  readable: 2,
  codeOrData: 0x10,
  present: 0x80,
  long: 0x2000,
  big: 0x4000,
  granularity: 0x8000,
  unusable: 0x1_0000,
} as const;

const SELECTOR_SLOTS = SEGMENT_REGISTERS.map((name) => slotOf(`${name}.selector`));
const CODE: SegmentIndex = 1;
const STACK: SegmentIndex = 2;

/** Type, expand-down and usability of data that may be read and written up to the limit. */
const PLAIN_DATA = ACCESS.unusable | ACCESS.codeOrData | ACCESS.executable | ACCESS.expandDown | ACCESS.writable;
const FLAT_DATA = ACCESS.codeOrData | ACCESS.writable;
const WHOLE = -1;

/** Word of the selector of a segment register; base, limit and attributes follow, two words each. */
export function segmentWord(segment: SegmentIndex): number {
  return (SELECTOR_SLOTS[segment] ?? 0) * 2;
}

/**
 * Whether an access, which must not wrap, is to a writable data segment whose limit is 4 GiB, as most programs have for
 * everything: there is nothing to check. `offset` is a signed 32-bit integer.
 */
export function isFlat(words: Int32Array, word: number, offset: number, bytes: number): boolean {
  return (
    words[word + 4] === WHOLE &&
    ((words[word + 6] as number) & PLAIN_DATA) === FLAT_DATA &&
    (offset >= 0 || offset <= -bytes)
  );
}

/** The linear address, as a signed 32-bit integer, of `bytes` bytes at an offset; raises #GP(0), or #SS(0) for SS. */
export function segmentedAddress(
  words: Int32Array,
  protectedMode: boolean,
  offset: number,
  segment: SegmentIndex,
  bytes: number,
  write: boolean,
): number {
  if (!isAccessAllowed(words, protectedMode, offset, segment, bytes, write))
    return raise(segment === STACK ? SS(0) : GP(0), 'core.segmentation.limit-or-type');
  return ((words[(SELECTOR_SLOTS[segment] ?? 0) * 2 + 2] ?? 0) + offset) | 0;
}

/** Whether type, presence and limit of a segment allow the access. */
export function isAccessAllowed(
  words: Int32Array,
  protectedMode: boolean,
  offset: number,
  segment: SegmentIndex,
  bytes: number,
  write: boolean,
): boolean {
  // Rows of a segment register follow each other: selector, base, limit, attributes.
  const word = (SELECTOR_SLOTS[segment] ?? 0) * 2;
  const attributes = words[word + 6] ?? 0;
  const first = offset >>> 0;
  if (protectedMode && !allows(attributes, write)) return false;
  return withinLimit(attributes, (words[word + 4] ?? 0) >>> 0, first, first + bytes - 1);
}

/** The linear address of an instruction, as a signed 32-bit integer. Code that cannot be read can be executed. */
export function fetchAddress(words: Int32Array, offset: number): number {
  const word = (SELECTOR_SLOTS[CODE] ?? 0) * 2;
  if (offset >>> 0 > (words[word + 4] ?? 0) >>> 0) return raise(GP(0), 'core.segmentation.limit-or-type');
  return ((words[word + 2] ?? 0) + offset) | 0;
}

/** Bytes that may be fetched from an offset in CS, whose first one `fetchAddress` allowed. */
export function fetchableBytes(words: Int32Array, offset: number): number {
  const limit = (words[(SELECTOR_SLOTS[CODE] ?? 0) * 2 + 4] ?? 0) >>> 0;
  return limit - (offset >>> 0) + 1;
}

function allows(attributes: number, write: boolean): boolean {
  if ((attributes & ACCESS.unusable) !== 0) return false;
  const code = (attributes & ACCESS.executable) !== 0;
  if (write) return !code && (attributes & ACCESS.writable) !== 0;
  return !code || (attributes & ACCESS.readable) !== 0;
}

/** Expand-down segments take the offsets above the limit instead of those up to it. */
function withinLimit(attributes: number, limit: number, first: number, last: number): boolean {
  const expandDown =
    (attributes & (ACCESS.codeOrData | ACCESS.executable | ACCESS.expandDown)) ===
    (ACCESS.codeOrData | ACCESS.expandDown);
  if (!expandDown) return last <= limit;
  return first > limit && last <= ((attributes & ACCESS.big) !== 0 ? 0xffff_ffff : 0xffff);
}
