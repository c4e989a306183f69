// Arithmetic by the host's doubles where that is exact in every bit: operands that are normal or zero, rounding to nearest,
// results well inside the range of normal numbers. Whether a result is inexact is told by error-free transformations
// (Dekker 1971, Knuth: TwoSum and TwoProduct). All else is answered with `UNKNOWN`, and computed exactly elsewhere.
import type { Lanes } from '../vector/lanes.js';
import { EXCEPTION } from './environment.js';

/** The host's arithmetic does not answer. */
export const UNKNOWN = -1;

/** Rounding to nearest, and nothing else of MXCSR that counts for normal numbers. */
export function roundsToNearest(control: number): boolean {
  return (control & 0x6000) === 0;
}

const { precision: INEXACT } = EXCEPTION;
/** So far from both ends that neither a result nor an error term leaves the range of normal doubles. */
const [LEAST, MOST] = [2 ** -960, 2 ** 960];
const [LEAST_SINGLE, MOST_SINGLE] = [2 ** -126, 2 ** 127];

/** Whether the words hold a normal number or a zero: no NaN, infinity or denormal. */
export function isPlainDouble(words: Int32Array, place: number): boolean {
  const high = words[place + 1] as number;
  const exponent = high & 0x7ff0_0000;
  return exponent !== 0x7ff0_0000 && (exponent !== 0 || ((high & 0x7fff_ffff) | (words[place] as number)) === 0);
}

export function isPlainSingle(words: Int32Array, place: number): boolean {
  const bits = words[place] as number;
  const exponent = bits & 0x7f80_0000;
  return exponent !== 0x7f80_0000 && (exponent !== 0 || (bits & 0x7fff_ffff) === 0);
}

/** Whether a sum lost bits: TwoSum. */
function sumLost(left: number, right: number, sum: number): boolean {
  const partner = sum - left;
  return left - (sum - partner) + (right - partner) !== 0;
}

const SPLITTER = 2 ** 27 + 1;

/** Whether a product is not exactly `product`: TwoProduct by Veltkamp's splitting. */
function productDiffers(left: number, right: number, product: number): boolean {
  if (left * right !== product) return true;
  const scaledLeft = SPLITTER * left;
  const leftHigh = scaledLeft - (scaledLeft - left);
  const leftLow = left - leftHigh;
  const scaledRight = SPLITTER * right;
  const rightHigh = scaledRight - (scaledRight - right);
  const rightLow = right - rightHigh;
  return leftLow * rightLow - (product - leftHigh * rightHigh - leftLow * rightHigh - leftHigh * rightLow) !== 0;
}

const isMedium = (value: number): boolean => {
  const magnitude = Math.abs(value);
  return magnitude >= LEAST && magnitude <= MOST;
};

/** The flags of an operation whose result was left in `to`, or UNKNOWN. */
export type FastOperation = (lanes: Lanes, to: number, left: number, right: number) => number;

export const FAST_DOUBLE: Readonly<Record<'add' | 'sub' | 'mul' | 'div' | 'sqrt', FastOperation>> = {
  add: ({ doubles }, to, left, right) =>
    addDoubles(doubles, to, doubles[left / 2] as number, doubles[right / 2] as number),
  sub: ({ doubles }, to, left, right) =>
    addDoubles(doubles, to, doubles[left / 2] as number, -(doubles[right / 2] as number)),
  mul: ({ doubles }, to, left, right) => {
    const [a, b] = [doubles[left / 2] as number, doubles[right / 2] as number];
    const product = a * b;
    const isZero = a === 0 || b === 0;
    if (!isZero && !(isMedium(a) && isMedium(b) && isMedium(product))) return UNKNOWN;
    doubles[to / 2] = product;
    return !isZero && productDiffers(a, b, product) ? INEXACT : 0;
  },
  div: ({ doubles }, to, left, right) => {
    const [a, b] = [doubles[left / 2] as number, doubles[right / 2] as number];
    const quotient = a / b;
    if (b === 0 || (a !== 0 && !(isMedium(a) && isMedium(b) && isMedium(quotient)))) return UNKNOWN;
    doubles[to / 2] = quotient;
    return a !== 0 && productDiffers(quotient, b, a) ? INEXACT : 0;
  },
  sqrt: ({ doubles }, to, left) => {
    const value = doubles[left / 2] as number;
    if (value < 0 || (value !== 0 && !isMedium(value))) return UNKNOWN;
    const root = Math.sqrt(value);
    doubles[to / 2] = root;
    return value !== 0 && productDiffers(root, root, value) ? INEXACT : 0;
  },
};

function addDoubles(doubles: Float64Array, to: number, left: number, right: number): number {
  const sum = left + right;
  const isSmall = Math.abs(left) <= MOST && Math.abs(right) <= MOST;
  if (!isSmall || (sum !== 0 && Math.abs(sum) < LEAST)) return UNKNOWN;
  doubles[to / 2] = sum;
  return sumLost(left, right, sum) ? INEXACT : 0;
}

/** A double rounded to a single: doubles have bits enough that rounding twice is rounding once. */
function storeSingle(singles: Float32Array, to: number, value: number, wasExact: boolean): number {
  const magnitude = Math.abs(value);
  if (value !== 0 && !(magnitude >= LEAST_SINGLE && magnitude < MOST_SINGLE)) return UNKNOWN;
  singles[to] = value;
  return wasExact && singles[to] === value ? 0 : INEXACT;
}

export const FAST_SINGLE: Readonly<Record<'add' | 'sub' | 'mul' | 'div' | 'sqrt', FastOperation>> = {
  add: ({ singles }, to, left, right) => {
    const [a, b] = [singles[left] as number, singles[right] as number];
    const sum = a + b;
    return storeSingle(singles, to, sum, !sumLost(a, b, sum));
  },
  sub: ({ singles }, to, left, right) => {
    const [a, b] = [singles[left] as number, singles[right] as number];
    const difference = a - b;
    return storeSingle(singles, to, difference, !sumLost(a, -b, difference));
  },
  mul: ({ singles }, to, left, right) =>
    storeSingle(singles, to, (singles[left] as number) * (singles[right] as number), true),
  div: ({ singles }, to, left, right) => {
    const [a, b] = [singles[left] as number, singles[right] as number];
    if (b === 0) return UNKNOWN;
    const quotient = a / b;
    return storeSingle(singles, to, quotient, Math.fround(quotient) * b === a);
  },
  sqrt: ({ singles }, to, left) => {
    const value = singles[left] as number;
    if (value < 0) return UNKNOWN;
    const root = Math.sqrt(value);
    return storeSingle(singles, to, root, Math.fround(root) ** 2 === value);
  },
};
