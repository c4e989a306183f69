// Where a closure finds a value without a call: a general register or a part of one, a scratch cell, a constant, or some
// bits of these. All are read by one formula without a branch, so that an operator needs one closure and not one for
// each kind of operand. Values of up to 32 bits: 1, 8 and 16 bits zero-extended, 32 bits as a signed integer, the high
// half 0. So widening with zeros and cutting make another Source and cost nothing when the instruction runs.
import type { RegisterPlace, Width } from '../../expression/nodes.js';

/** low = (words[word] >>> shift & mask) | low; high = (words[highWord] & highMask) | high. */
export interface Source {
  readonly word: number;
  readonly shift: number;
  readonly mask: number;
  readonly low: number;
  readonly highWord: number;
  readonly highMask: number;
  readonly high: number;
}

/** Part of an instruction, or all of it. */
export type Step = () => void;

/** The low half of a value. */
export function low(words: Int32Array, source: Source): number {
  return (((words[source.word] as number) >>> source.shift) & source.mask) | source.low;
}

/** The high half of a value: 0 if it is narrower than 64 bits. */
export function high(words: Int32Array, source: Source): number {
  return ((words[source.highWord] as number) & source.highMask) | source.high;
}

/** Stores a value of up to 32 bits with a high half of 0: a cell, or a register that a 32-bit write clears above. */
export function put(words: Int32Array, to: number, value: number): void {
  words[to] = value;
  words[to + 1] = 0;
}

/** Stores a value of 64 bits. */
export function putWide(words: Int32Array, to: number, valueLow: number, valueHigh: number): void {
  words[to] = valueLow;
  words[to + 1] = valueHigh;
}

/** All ones in the low `width` bits, for up to 32 bits. */
export function maskOf(width: Width): number {
  return width >= 32 ? -1 : (1 << width) - 1;
}

/** Bits above a narrow value in its word. */
export const spareBits = (width: Width): number => 32 - width;

/** A value known when the instruction is decoded. */
export function constantSource(value: bigint): Source {
  const [valueLow, valueHigh] = halves(value);
  return { word: 0, shift: 0, mask: 0, low: valueLow, highWord: 0, highMask: 0, high: valueHigh };
}

/** Both halves as signed integers. */
export function halves(value: bigint): readonly [low: number, high: number] {
  return [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))];
}

/** A general register or a part of one. */
export function registerSource({ index, width, high: isHigh }: RegisterPlace): Source {
  return { ...wordSource(index * 2, width), shift: isHigh ? 8 : 0 };
}

/** A value of `width` bits in the low bits of a 64-bit slot of the hot memory. */
export function wordSource(word: number, width: Width): Source {
  const highMask = width === 64 ? -1 : 0;
  return { word, shift: 0, mask: maskOf(width), low: 0, highWord: word + 1, highMask, high: 0 };
}

/**
 * `width` (up to 32) bits of a source from `offset` up; undefined if they come from both halves. Bits above the source's
 * own are 0.
 */
export function bitsOf(source: Source, offset: number, width: Width): Source | undefined {
  if (offset >= 32) return partOf(source.highWord, 0, source.highMask, source.high, offset - 32, width);
  if (offset + width > 32 && (source.highMask | source.high) !== 0) return undefined;
  return partOf(source.word, source.shift, source.mask, source.low, offset, width);
}

function partOf(word: number, shift: number, mask: number, fixed: number, offset: number, width: Width): Source {
  const kept = maskOf(width);
  const part = { mask: (mask >>> offset) & kept, low: (fixed >>> offset) & kept };
  return { word, shift: part.mask === 0 ? 0 : shift + offset, ...part, highWord: 0, highMask: 0, high: 0 };
}

/** Whether reading the source reads the 64-bit slot: a register that another statement of the effect may write. */
export function readsSlot(source: Source, slot: number): boolean {
  return (source.mask !== 0 && source.word >> 1 === slot) || (source.highMask !== 0 && source.highWord >> 1 === slot);
}
