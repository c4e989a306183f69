// Comparisons (SDM, "CMPPS—Compare Packed Single Precision Floating-Point Values", the predicates of the legacy encoding,
// and "COMISS"), and the extremes.

import type { Lanes } from '../vector/lanes.js';
import { bitsAt, type Element, exactElement, FORMATS, storeBits } from './element.js';
import { compareNumbers, extreme } from './exact-arithmetic.js';
import { isPlainDouble, isPlainSingle } from './fast-arithmetic.js';

/** By bits 2:0 of the immediate: whether a QNaN is an invalid operand, and for which orders the predicate holds. */
interface Predicate {
  readonly isSignaling: boolean;
  readonly holds: (order: number | undefined) => boolean;
}

const EQUAL: Predicate = { isSignaling: false, holds: (order) => order === 0 };
const LESS: Predicate = { isSignaling: true, holds: (order) => order !== undefined && order < 0 };
const LESS_OR_EQUAL: Predicate = { isSignaling: true, holds: (order) => order !== undefined && order <= 0 };
const UNORDERED: Predicate = { isSignaling: false, holds: (order) => order === undefined };
const not = ({ isSignaling, holds }: Predicate): Predicate => ({ isSignaling, holds: (order) => !holds(order) });

const PREDICATES: readonly Predicate[] = [
  EQUAL,
  LESS,
  LESS_OR_EQUAL,
  UNORDERED,
  not(EQUAL),
  not(LESS),
  not(LESS_OR_EQUAL),
  not(UNORDERED),
];

/** The order of two plain numbers; undefined if one is not plain. */
function plainOrder(lanes: Lanes, left: number, right: number, width: 32 | 64): number | undefined {
  const isPlain = width === 64 ? isPlainDouble : isPlainSingle;
  if (!isPlain(lanes.doublewords, left) || !isPlain(lanes.doublewords, right)) return undefined;
  return width === 64
    ? (lanes.doubles[left / 2] as number) - (lanes.doubles[right / 2] as number)
    : (lanes.singles[left] as number) - (lanes.singles[right] as number);
}

function orderOf(lanes: Lanes, left: number, right: number, width: 32 | 64, isSignaling: boolean, control: number) {
  const format = FORMATS[width];
  return compareNumbers(bitsAt(lanes, left, width), bitsAt(lanes, right, width), isSignaling, format, control);
}

/** All ones where the predicate holds. */
export function comparison(width: 32 | 64): Element {
  return (lanes, to, left, right, control, immediate) => {
    const { isSignaling, holds } = PREDICATES[immediate & 7] as Predicate;
    const plain = plainOrder(lanes, left, right, width);
    const { order, flags } =
      plain === undefined ? orderOf(lanes, left, right, width, isSignaling, control) : { order: plain, flags: 0 };
    const mask = holds(order) ? -1 : 0;
    lanes.doublewords[to] = mask;
    if (width === 64) lanes.doublewords[to + 1] = mask;
    return flags;
  };
}

/** COMIS and UCOMIS: ZF in bit 0, PF in bit 1, CF in bit 2; all three if the numbers have no order. */
export function ordering(width: 32 | 64, isSignaling: boolean): Element {
  return (lanes, to, left, right, control) => {
    const plain = plainOrder(lanes, left, right, width);
    const { order, flags } =
      plain === undefined ? orderOf(lanes, left, right, width, isSignaling, control) : { order: plain, flags: 0 };
    lanes.doublewords[to] = order === undefined ? 7 : order === 0 ? 1 : order < 0 ? 4 : 0;
    return flags;
  };
}

/** MAX and MIN. */
export function extremeElement(width: 32 | 64, wantsGreater: boolean): Element {
  const exact = exactElement(width, (left, right, format, control) =>
    extreme(wantsGreater, left, right, format, control),
  );
  return (lanes, to, left, right, control, immediate, index) => {
    const order = plainOrder(lanes, left, right, width);
    if (order === undefined) return exact(lanes, to, left, right, control, immediate, index);
    const from = (wantsGreater ? order > 0 : order < 0) ? left : right;
    storeBits(lanes, to, width, bitsAt(lanes, from, width));
    return 0;
  };
}
