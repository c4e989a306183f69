// The floating-point operations that an expression may name: one table, a row each. Elements are computed one after the
// other; the exceptions of all elements of a vector are collected before any of them counts.
import { reciprocal, reciprocalRoot } from './approximation.js';
import { comparison, extremeElement, ordering } from './comparison.js';
import { convertFormat, fromInteger, toInteger, toIntegral } from './conversion.js';
import { arithmeticElement, bitsAt, type Element, type FloatOperation, FORMATS, storeBits } from './element.js';
import { add, divide, multiply, squareRoot, subtract } from './exact-arithmetic.js';
import { FAST_DOUBLE, FAST_SINGLE } from './fast-arithmetic.js';

type Width = 32 | 64;

const arithmetic = {
  32: {
    add: arithmeticElement(32, FAST_SINGLE.add, add),
    sub: arithmeticElement(32, FAST_SINGLE.sub, subtract),
    mul: arithmeticElement(32, FAST_SINGLE.mul, multiply),
    div: arithmeticElement(32, FAST_SINGLE.div, divide),
    sqrt: arithmeticElement(32, FAST_SINGLE.sqrt, (bits, _, format, control) => squareRoot(bits, format, control)),
  },
  64: {
    add: arithmeticElement(64, FAST_DOUBLE.add, add),
    sub: arithmeticElement(64, FAST_DOUBLE.sub, subtract),
    mul: arithmeticElement(64, FAST_DOUBLE.mul, multiply),
    div: arithmeticElement(64, FAST_DOUBLE.div, divide),
    sqrt: arithmeticElement(64, FAST_DOUBLE.sqrt, (bits, _, format, control) => squareRoot(bits, format, control)),
  },
} as const;

/** ADDSUBPS: even elements are subtracted. */
const alternating =
  ({ add: added, sub: subtracted }: { readonly add: Element; readonly sub: Element }): Element =>
  (lanes, to, left, right, control, immediate, index) =>
    (index & 1 ? added : subtracted)(lanes, to, left, right, control, immediate, index);

/** DPPS: products only of the elements that bits 7:4 of the immediate choose. */
const chosen =
  (width: Width): Element =>
  (lanes, to, left, right, control, immediate, index) => {
    if ((immediate >> (index + 4)) & 1) return arithmetic[width].mul(lanes, to, left, right, control, immediate, index);
    storeBits(lanes, to, width, 0n);
    return 0;
  };

const rounded =
  (width: Width): Element =>
  (lanes, to, left, _right, control, immediate) => {
    const { bits, flags } = toIntegral(bitsAt(lanes, left, width), FORMATS[width], immediate, control);
    storeBits(lanes, to, width, bits);
    return flags;
  };

const converted =
  (from: Width, to: Width): Element =>
  (lanes, target, source, _right, control) => {
    const { bits, flags } = convertFormat(bitsAt(lanes, source, from), FORMATS[from], FORMATS[to], control);
    storeBits(lanes, target, to, bits);
    return flags;
  };

const ofInteger =
  (from: Width, to: Width): Element =>
  (lanes, target, source, _right, control) => {
    const { bits, flags } = fromInteger(BigInt.asIntN(from, bitsAt(lanes, source, from)), FORMATS[to], control);
    storeBits(lanes, target, to, bits);
    return flags;
  };

const integer =
  (from: Width, to: Width, truncates: boolean): Element =>
  (lanes, target, source, _right, control) => {
    const { bits, flags } = toInteger(bitsAt(lanes, source, from), FORMATS[from], to, truncates, control);
    storeBits(lanes, target, to, bits);
    return flags;
  };

/** A row whose elements stay as wide as they are. */
const same = (width: Width, element: Element, wasm?: string): FloatOperation =>
  wasm === undefined ? { from: width, to: width, element } : { from: width, to: width, element, wasm };

const TABLE = {
  add32: same(32, arithmetic[32].add, 'f32x4.add'),
  add64: same(64, arithmetic[64].add, 'f64x2.add'),
  sub32: same(32, arithmetic[32].sub, 'f32x4.sub'),
  sub64: same(64, arithmetic[64].sub, 'f64x2.sub'),
  mul32: same(32, arithmetic[32].mul, 'f32x4.mul'),
  mul64: same(64, arithmetic[64].mul, 'f64x2.mul'),
  div32: same(32, arithmetic[32].div, 'f32x4.div'),
  div64: same(64, arithmetic[64].div, 'f64x2.div'),
  sqrt32: same(32, arithmetic[32].sqrt, 'f32x4.sqrt'),
  sqrt64: same(64, arithmetic[64].sqrt, 'f64x2.sqrt'),
  max32: same(32, extremeElement(32, true)),
  max64: same(64, extremeElement(64, true)),
  min32: same(32, extremeElement(32, false)),
  min64: same(64, extremeElement(64, false)),
  compare32: same(32, comparison(32)),
  compare64: same(64, comparison(64)),
  order32: { from: 32, to: 32, element: ordering(32, true) },
  order64: { from: 64, to: 32, element: ordering(64, true) },
  orderQuietly32: { from: 32, to: 32, element: ordering(32, false) },
  orderQuietly64: { from: 64, to: 32, element: ordering(64, false) },
  addSub32: same(32, alternating(arithmetic[32])),
  addSub64: same(64, alternating(arithmetic[64])),
  mulChosen32: same(32, chosen(32)),
  mulChosen64: same(64, chosen(64)),
  round32: same(32, rounded(32)),
  round64: same(64, rounded(64)),
  reciprocal32: same(32, reciprocal),
  reciprocalRoot32: same(32, reciprocalRoot),
  singleToDouble: { from: 32, to: 64, element: converted(32, 64) },
  doubleToSingle: { from: 64, to: 32, element: converted(64, 32) },
  int32ToSingle: { from: 32, to: 32, element: ofInteger(32, 32) },
  int32ToDouble: { from: 32, to: 64, element: ofInteger(32, 64) },
  int64ToSingle: { from: 64, to: 32, element: ofInteger(64, 32) },
  int64ToDouble: { from: 64, to: 64, element: ofInteger(64, 64) },
  singleToInt32: { from: 32, to: 32, element: integer(32, 32, false) },
  singleToInt64: { from: 32, to: 64, element: integer(32, 64, false) },
  doubleToInt32: { from: 64, to: 32, element: integer(64, 32, false) },
  doubleToInt64: { from: 64, to: 64, element: integer(64, 64, false) },
  truncateSingleToInt32: { from: 32, to: 32, element: integer(32, 32, true) },
  truncateSingleToInt64: { from: 32, to: 64, element: integer(32, 64, true) },
  truncateDoubleToInt32: { from: 64, to: 32, element: integer(64, 32, true) },
  truncateDoubleToInt64: { from: 64, to: 64, element: integer(64, 64, true) },
} as const satisfies Readonly<Record<string, FloatOperation>>;

/** The name of a row. */
export type FloatOperationName = keyof typeof TABLE;

/** By name. */
export const FLOAT_OPERATIONS: Readonly<Record<FloatOperationName, FloatOperation>> = TABLE;
