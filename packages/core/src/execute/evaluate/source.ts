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

/** All sources are made here: objects of one hidden class, which closures read without asking which one it is. */
function source(
  word: number,
  shift: number,
  mask: number,
  fixedLow: number,
  highWord: number,
  highMask: number,
  fixedHigh: number,
): Source {
  return { word, shift, mask, low: fixedLow, highWord, highMask, high: fixedHigh };
}

/** A value known when the instruction is decoded. */
export function constantSource(value: bigint): Source {
  return knownSource(...halves(value));
}

/** The same from its halves. */
export function knownSource(valueLow: number, valueHigh: number): Source {
  return source(0, 0, 0, valueLow, 0, 0, valueHigh);
}

/** Whether reading the source reads no memory. */
export function isConstantSource({ mask, highMask }: Source): boolean {
  return (mask | highMask) === 0;
}

/** Both halves as signed integers. */
export function halves(value: bigint): readonly [low: number, high: number] {
  return [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))];
}

/** A general register or a part of one. */
export function registerSource({ index, width, high: isHigh }: RegisterPlace): Source {
  return isHigh ? source(index * 2, 8, 0xff, 0, 0, 0, 0) : wordSource(index * 2, width);
}

/** A value of `width` bits in the low bits of a 64-bit slot of the hot memory. */
export function wordSource(word: number, width: Width): Source {
  return source(word, 0, maskOf(width), 0, word + 1, width === 64 ? -1 : 0, 0);
}

/**
 * `width` (up to 32) bits of a source from `offset` up; undefined if they come from both halves. Bits above the source's
 * own are 0.
 */
export function bitsOf(from: Source, offset: number, width: Width): Source | undefined {
  if (offset >= 32) return partOf(from.highWord, 0, from.highMask, from.high, offset - 32, width);
  if (offset + width > 32 && (from.highMask | from.high) !== 0) return undefined;
  return partOf(from.word, from.shift, from.mask, from.low, offset, width);
}

function partOf(word: number, shift: number, mask: number, fixed: number, offset: number, width: Width): Source {
  const kept = (mask >>> offset) & maskOf(width);
  return source(word, kept === 0 ? 0 : shift + offset, kept, (fixed >>> offset) & maskOf(width), 0, 0, 0);
}

/** Whether reading the source reads the 64-bit slot: a register that another statement of the effect may write. */
export function readsSlot(source: Source, slot: number): boolean {
  return (source.mask !== 0 && source.word >> 1 === slot) || (source.highMask !== 0 && source.highWord >> 1 === slot);
}
