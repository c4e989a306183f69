// What a row of the table of floating-point operations is, and how exact operations on bits become one: they read elements
// from the hot memory, ask the fast path first, and leave the result.
import type { Lanes } from '../vector/lanes.js';
import type { Rounded } from './environment.js';
import { type FastOperation, isPlainDouble, isPlainSingle, roundsToNearest, UNKNOWN } from './fast-arithmetic.js';
import { BINARY32, BINARY64, type FloatFormat } from './format.js';

/**
 * Computes one element from one or two and returns the exceptions that it detected. Places are numbers of words; `control`
 * is MXCSR; `index` is the number of the element in its vector.
 */
export type Element = (
  lanes: Lanes,
  to: number,
  left: number,
  right: number,
  control: number,
  immediate: number,
  index: number,
) => number;

/** A row. */
export interface FloatOperation {
  /** Bits of an element of the operands and of the result. */
  readonly from: 32 | 64;
  readonly to: 32 | 64;
  readonly element: Element;
  /** The WebAssembly instruction that gives the same result for rounding to nearest; it tells no exceptions. */
  readonly wasm?: string;
}

/** The bits of an element, unsigned. */
export function bitsAt(lanes: Lanes, place: number, width: 32 | 64): bigint {
  return width === 64 ? (lanes.quadwords[place / 2] as bigint) : BigInt(lanes.unsignedDoublewords[place] as number);
}

/** Leaves bits in an element. */
export function storeBits(lanes: Lanes, place: number, width: 32 | 64, bits: bigint): void {
  if (width === 64) lanes.quadwords[place / 2] = bits;
  else lanes.unsignedDoublewords[place] = Number(bits);
}

/** By width. */
export const FORMATS: Readonly<Record<32 | 64, FloatFormat>> = { 32: BINARY32, 64: BINARY64 };

type ExactOperation = (left: bigint, right: bigint, format: FloatFormat, control: number) => Rounded;

/** An exact operation as an element, without a fast path. */
export function exactElement(width: 32 | 64, operation: ExactOperation): Element {
  const format = FORMATS[width];
  return (lanes, to, left, right, control) => {
    const { bits, flags } = operation(bitsAt(lanes, left, width), bitsAt(lanes, right, width), format, control);
    storeBits(lanes, to, width, bits);
    return flags;
  };
}

/** The same with a fast path for numbers that are plain. */
export function arithmeticElement(width: 32 | 64, fast: FastOperation, operation: ExactOperation): Element {
  const exact = exactElement(width, operation);
  const isPlain = width === 64 ? isPlainDouble : isPlainSingle;
  return (lanes, to, left, right, control, immediate, index) => {
    if (roundsToNearest(control) && isPlain(lanes.doublewords, left) && isPlain(lanes.doublewords, right)) {
      const flags = fast(lanes, to, left, right);
      if (flags !== UNKNOWN) return flags;
    }
    return exact(lanes, to, left, right, control, immediate, index);
  };
}
