// Operators on 64-bit values in two halves. A closure computes both halves of the result before it stores either: the
// result may go to the register that an operand is read from.
import type { BinaryOperator, Comparison, UnaryOperator } from '../../expression/nodes.js';
import {
  type BinaryStep,
  countOnes,
  countTrailingZeros,
  multiplyHigh,
  swapBytes,
  type UnaryStep,
} from './narrow-operators.js';
import { high, low, put, putWide, type Source, type Step } from './source.js';

type Binary = (step: BinaryStep) => Step;
type Unary = (step: UnaryStep) => Step;

/** Two to the 32nd: what a carry out of a half is worth. */
const HALF = 0x1_0000_0000;

/** The carry out of `left + right = sum`, all low halves. */
export function carryInto(left: number, sum: number): number {
  return sum >>> 0 < left >>> 0 ? 1 : 0;
}

/** The borrow of `left - right`, both low halves. */
export function borrowFrom(left: number, right: number): number {
  return left >>> 0 < right >>> 0 ? 1 : 0;
}

const BINARY: Readonly<Record<BinaryOperator, Binary>> = {
  add:
    ({ words, to, left, right }) =>
    () => {
      const a = low(words, left);
      const sum = (a + low(words, right)) | 0;
      putWide(words, to, sum, (high(words, left) + high(words, right) + carryInto(a, sum)) | 0);
    },
  sub:
    ({ words, to, left, right }) =>
    () => {
      const a = low(words, left);
      const b = low(words, right);
      putWide(words, to, (a - b) | 0, (high(words, left) - high(words, right) - borrowFrom(a, b)) | 0);
    },
  and:
    ({ words, to, left, right }) =>
    () =>
      putWide(words, to, low(words, left) & low(words, right), high(words, left) & high(words, right)),
  or:
    ({ words, to, left, right }) =>
    () =>
      putWide(words, to, low(words, left) | low(words, right), high(words, left) | high(words, right)),
  xor:
    ({ words, to, left, right }) =>
    () =>
      putWide(words, to, low(words, left) ^ low(words, right), high(words, left) ^ high(words, right)),
  mul:
    ({ words, to, left, right }) =>
    () => {
      const a = low(words, left);
      const b = low(words, right);
      const cross = Math.imul(a, high(words, right)) + Math.imul(high(words, left), b);
      putWide(words, to, Math.imul(a, b), (multiplyHigh(a, b) + cross) | 0);
    },
  mulHighUnsigned: (step) => multiplyWideHigh(step, false),
  mulHighSigned: (step) => multiplyWideHigh(step, true),
  shl:
    ({ words, to, left, right }) =>
    () => {
      const count = shiftCount(words, right);
      const valueLow = low(words, left);
      if (count > 31) putWide(words, to, 0, count > 63 ? 0 : valueLow << (count - 32));
      // Two shifts for the bits that cross, because a shift by 32 would shift by 0.
      else putWide(words, to, valueLow << count, (high(words, left) << count) | ((valueLow >>> 1) >>> (31 - count)));
    },
  shr:
    ({ words, to, left, right }) =>
    () => {
      const count = shiftCount(words, right);
      const valueHigh = high(words, left);
      if (count > 31) putWide(words, to, count > 63 ? 0 : valueHigh >>> (count - 32), 0);
      else putWide(words, to, (low(words, left) >>> count) | ((valueHigh << 1) << (31 - count)), valueHigh >>> count);
    },
  sar:
    ({ words, to, left, right }) =>
    () => {
      const count = shiftCount(words, right);
      const valueHigh = high(words, left);
      if (count > 31) putWide(words, to, valueHigh >> Math.min(count - 32, 31), valueHigh >> 31);
      else putWide(words, to, (low(words, left) >>> count) | ((valueHigh << 1) << (31 - count)), valueHigh >> count);
    },
  rol: (step) => rotateWide(step, 0, 1),
  ror: (step) => rotateWide(step, 64, -1),
};

/** A count of 64 bits, 64 standing for all that are larger. */
function shiftCount(words: Int32Array, count: Source): number {
  const value = low(words, count) >>> 0;
  return high(words, count) !== 0 || value > 64 ? 64 : value;
}

/** Rotates left by `base + sign * count`. */
function rotateWide({ words, to, left, right }: BinaryStep, base: number, sign: 1 | -1): Step {
  return () => {
    const count = (base + sign * (low(words, right) & 63)) & 63;
    const swapped = count > 31;
    const valueLow = swapped ? high(words, left) : low(words, left);
    const valueHigh = swapped ? low(words, left) : high(words, left);
    const by = count & 31;
    putWide(
      words,
      to,
      (valueLow << by) | ((valueHigh >>> 1) >>> (31 - by)),
      (valueHigh << by) | ((valueLow >>> 1) >>> (31 - by)),
    );
  };
}

/** Bits 127:64 of a product, from four products of halves; the sums stay far below 2^53. */
function multiplyWideHigh({ words, to, left, right }: BinaryStep, signed: boolean): Step {
  return () => {
    const aLow = low(words, left);
    const aHigh = high(words, left);
    const bLow = low(words, right);
    const bHigh = high(words, right);
    const middle = multiplyHigh(aLow, bLow) + (Math.imul(aLow, bHigh) >>> 0) + (Math.imul(aHigh, bLow) >>> 0);
    const upper =
      multiplyHigh(aLow, bHigh) +
      multiplyHigh(aHigh, bLow) +
      (Math.imul(aHigh, bHigh) >>> 0) +
      Math.floor(middle / HALF);
    let resultLow = upper | 0;
    let resultHigh = (multiplyHigh(aHigh, bHigh) + Math.floor(upper / HALF)) | 0;
    // A negative factor counts 2^64 too much for the other one.
    if (signed && aHigh < 0) {
      resultHigh = (resultHigh - bHigh - borrowFrom(resultLow, bLow)) | 0;
      resultLow = (resultLow - bLow) | 0;
    }
    if (signed && bHigh < 0) {
      resultHigh = (resultHigh - aHigh - borrowFrom(resultLow, aLow)) | 0;
      resultLow = (resultLow - aLow) | 0;
    }
    putWide(words, to, resultLow, resultHigh);
  };
}

const COMPARISONS: Readonly<Record<Comparison, Binary>> = {
  equal:
    ({ words, to, left, right }) =>
    () => {
      const difference = (low(words, left) ^ low(words, right)) | (high(words, left) ^ high(words, right));
      put(words, to, difference === 0 ? 1 : 0);
    },
  lessUnsigned:
    ({ words, to, left, right }) =>
    () => {
      const a = high(words, left);
      const b = high(words, right);
      put(words, to, a === b ? borrowFrom(low(words, left), low(words, right)) : borrowFrom(a, b));
    },
  lessSigned:
    ({ words, to, left, right }) =>
    () => {
      const a = high(words, left);
      const b = high(words, right);
      put(words, to, a === b ? borrowFrom(low(words, left), low(words, right)) : a < b ? 1 : 0);
    },
};

const UNARY: Readonly<Record<UnaryOperator, Unary>> = {
  not:
    ({ words, to, operand }) =>
    () =>
      putWide(words, to, ~low(words, operand), ~high(words, operand)),
  neg:
    ({ words, to, operand }) =>
    () => {
      const value = low(words, operand);
      putWide(words, to, -value | 0, (-high(words, operand) - (value === 0 ? 0 : 1)) | 0);
    },
  byteSwap:
    ({ words, to, operand }) =>
    () =>
      putWide(words, to, swapBytes(high(words, operand)), swapBytes(low(words, operand))),
  popCount:
    ({ words, to, operand }) =>
    () =>
      put(words, to, countOnes(low(words, operand)) + countOnes(high(words, operand))),
  leadingZeros:
    ({ words, to, operand }) =>
    () => {
      const top = high(words, operand);
      put(words, to, top === 0 ? 32 + Math.clz32(low(words, operand)) : Math.clz32(top));
    },
  trailingZeros:
    ({ words, to, operand }) =>
    () => {
      const bottom = low(words, operand);
      const top = high(words, operand);
      put(words, to, bottom !== 0 ? countTrailingZeros(bottom) : top !== 0 ? 32 + countTrailingZeros(top) : 64);
    },
};

export function wideBinary(operator: BinaryOperator, step: BinaryStep): Step {
  return BINARY[operator](step);
}

export function wideComparison(operator: Comparison, step: BinaryStep): Step {
  return COMPARISONS[operator](step);
}

export function wideUnary(operator: UnaryOperator, step: UnaryStep): Step {
  return UNARY[operator](step);
}

/** One of two values of any width. */
export function wideSelect(
  words: Int32Array,
  to: number,
  condition: Source,
  whenTrue: Source,
  whenFalse: Source,
): Step {
  return () => {
    const chosen = low(words, condition) !== 0 ? whenTrue : whenFalse;
    putWide(words, to, low(words, chosen), high(words, chosen));
  };
}
