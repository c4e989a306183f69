// Operators on values of up to 32 bits, as closures that read their operands and leave the result in a slot. One row an
// operator: V8 compiles each function literal by itself, so that none of them calls another to do its work.
import type { BinaryOperator, Comparison, UnaryOperator, Width } from '../../expression/nodes.js';
import { low, maskOf, put, type Source, type Step, spareBits } from './source.js';

/** What a closure of two operands needs. `to` is the word of the slot that takes the result. */
export interface BinaryStep {
  readonly words: Int32Array;
  readonly to: number;
  readonly left: Source;
  readonly right: Source;
  /** Of the operands. */
  readonly width: Width;
}

/** What a closure of one operand needs. */
export interface UnaryStep {
  readonly words: Int32Array;
  readonly to: number;
  readonly operand: Source;
  readonly width: Width;
}

type Binary = (words: Int32Array, to: number, left: Source, right: Source, mask: number, spare: number) => Step;
type Unary = (words: Int32Array, to: number, operand: Source, mask: number, spare: number) => Step;

/** Bits 63:32 of the product of two unsigned 32-bit integers, from four products of halves that fit 32 bits. */
export function multiplyHigh(left: number, right: number): number {
  const a = left & 0xffff;
  const b = left >>> 16;
  const c = right & 0xffff;
  const d = right >>> 16;
  const middle = (Math.imul(b, c) + (Math.imul(a, c) >>> 16)) | 0;
  const other = (Math.imul(a, d) + (middle & 0xffff)) | 0;
  return (Math.imul(b, d) + (middle >>> 16) + (other >>> 16)) >>> 0;
}

const BINARY: Readonly<Record<BinaryOperator, Binary>> = {
  add: (words, to, left, right, mask) => () => put(words, to, (low(words, left) + low(words, right)) & mask),
  sub: (words, to, left, right, mask) => () => put(words, to, (low(words, left) - low(words, right)) & mask),
  and: (words, to, left, right) => () => put(words, to, low(words, left) & low(words, right)),
  or: (words, to, left, right) => () => put(words, to, low(words, left) | low(words, right)),
  xor: (words, to, left, right) => () => put(words, to, low(words, left) ^ low(words, right)),
  mul: (words, to, left, right, mask) => () => put(words, to, Math.imul(low(words, left), low(words, right)) & mask),
  mulHighUnsigned: (words, to, left, right, mask, spare) =>
    spare === 0
      ? () => put(words, to, multiplyHigh(low(words, left), low(words, right)) | 0)
      : () => put(words, to, (Math.imul(low(words, left), low(words, right)) >>> (32 - spare)) & mask),
  mulHighSigned: (words, to, left, right, mask, spare) =>
    spare === 0
      ? multiplyHighSigned(words, to, left, right)
      : multiplyShortHighSigned(words, to, left, right, mask, spare),
  shl: (words, to, left, right, mask) => () => {
    const count = low(words, right) >>> 0;
    put(words, to, count > 31 ? 0 : (low(words, left) << count) & mask);
  },
  shr: (words, to, left, right) => () => {
    const count = low(words, right) >>> 0;
    put(words, to, count > 31 ? 0 : (low(words, left) >>> count) | 0);
  },
  sar: (words, to, left, right, mask, spare) => () => {
    const count = Math.min(low(words, right) >>> 0, 31);
    put(words, to, (((low(words, left) << spare) >> spare) >> count) & mask);
  },
  rol: (words, to, left, right, mask, spare) => () => {
    const value = low(words, left);
    const count = low(words, right) & (31 - spare);
    put(words, to, ((value << count) | (value >>> (32 - spare - count))) & mask);
  },
  ror: (words, to, left, right, mask, spare) => () => {
    const value = low(words, left);
    const count = low(words, right) & (31 - spare);
    put(words, to, ((value >>> count) | (value << (32 - spare - count))) & mask);
  },
};

function multiplyHighSigned(words: Int32Array, to: number, left: Source, right: Source): Step {
  return () => {
    const a = low(words, left);
    const b = low(words, right);
    // A negative factor counts 2^32 too much for the other one.
    put(words, to, (multiplyHigh(a, b) - ((a >> 31) & b) - ((b >> 31) & a)) | 0);
  };
}

function multiplyShortHighSigned(
  words: Int32Array,
  to: number,
  left: Source,
  right: Source,
  mask: number,
  spare: number,
): Step {
  return () => {
    const product = Math.imul((low(words, left) << spare) >> spare, (low(words, right) << spare) >> spare);
    put(words, to, (product >> (32 - spare)) & mask);
  };
}

const COMPARISONS: Readonly<Record<Comparison, Binary>> = {
  equal: (words, to, left, right) => () => put(words, to, low(words, left) === low(words, right) ? 1 : 0),
  lessUnsigned: (words, to, left, right) => () =>
    put(words, to, low(words, left) >>> 0 < low(words, right) >>> 0 ? 1 : 0),
  lessSigned: (words, to, left, right, _mask, spare) => () =>
    put(words, to, low(words, left) << spare < low(words, right) << spare ? 1 : 0),
};

const UNARY: Readonly<Record<UnaryOperator, Unary>> = {
  not: (words, to, operand, mask) => () => put(words, to, ~low(words, operand) & mask),
  neg: (words, to, operand, mask) => () => put(words, to, -low(words, operand) & mask),
  byteSwap: (words, to, operand, _mask, spare) => () => {
    const value = low(words, operand);
    if (spare >= 24) put(words, to, value);
    else put(words, to, spare === 0 ? swapBytes(value) : swapBytes(value) >>> 16);
  },
  popCount: (words, to, operand, mask) => () => put(words, to, countOnes(low(words, operand)) & mask),
  leadingZeros: (words, to, operand, mask, spare) => () =>
    put(words, to, (Math.clz32(low(words, operand)) - spare) & mask),
  trailingZeros: (words, to, operand, mask, spare) => () => {
    const value = low(words, operand);
    put(words, to, (value === 0 ? 32 - spare : countTrailingZeros(value)) & mask);
  },
};

/** The bytes of 32 bits in the opposite order. */
export function swapBytes(value: number): number {
  return (value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24);
}

/** Ones among 32 bits, counted in pairs, nibbles and bytes at once. */
export function countOnes(value: number): number {
  const pairs = value - ((value >>> 1) & 0x5555_5555);
  const nibbles = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

/** Zeros below the lowest one of a value other than 0. */
export function countTrailingZeros(value: number): number {
  return 31 - Math.clz32(value & -value);
}

export function narrowBinary(operator: BinaryOperator, { words, to, left, right, width }: BinaryStep): Step {
  return BINARY[operator](words, to, left, right, maskOf(width), spareBits(width));
}

export function narrowComparison(operator: Comparison, { words, to, left, right, width }: BinaryStep): Step {
  return COMPARISONS[operator](words, to, left, right, maskOf(width), spareBits(width));
}

export function narrowUnary(operator: UnaryOperator, { words, to, operand, width }: UnaryStep): Step {
  return UNARY[operator](words, to, operand, maskOf(width), spareBits(width));
}

/** Sign-extends a narrow value, to 64 bits or less. */
export function narrowSignExtend({ words, to, operand, width }: UnaryStep, target: Width): Step {
  const spare = spareBits(width);
  const mask = maskOf(target);
  if (target < 64) return () => put(words, to, ((low(words, operand) << spare) >> spare) & mask);
  return () => {
    const value = (low(words, operand) << spare) >> spare;
    words[to] = value;
    words[to + 1] = value >> 31;
  };
}

/** One of two values. */
export function narrowSelect(
  words: Int32Array,
  to: number,
  condition: Source,
  whenTrue: Source,
  whenFalse: Source,
): Step {
  return () => put(words, to, low(words, condition) !== 0 ? low(words, whenTrue) : low(words, whenFalse));
}
