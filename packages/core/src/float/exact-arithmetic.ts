// Arithmetic on bits, in any rounding mode: the exact result, then rounded. The order in which exceptions are looked for is
// that of SDM, "Priority Among Simultaneous Exceptions" of the SIMD floating-point exceptions: NaN and invalid operands,
// division by zero, denormal operands, then what the result has.
import { EXCEPTION, MXCSR, ROUNDING, type Rounded, roundingOf } from './environment.js';
import { bitLength, type FloatFormat, type Unpacked, unpack } from './format.js';
import { type Exact, round } from './rounding.js';

/** An operand: a denormal is a zero of its sign while DAZ is set. */
export function operand(bits: bigint, format: FloatFormat, control: number): Unpacked {
  const number = unpack(bits, format);
  return number.isDenormal && control & MXCSR.denormalsAreZeros ? unpack(bits & format.sign, format) : number;
}

export const isNotANumber = ({ kind }: Unpacked): boolean => kind === 'quiet' || kind === 'signaling';

const denormalFlag = (...operands: readonly Unpacked[]): number =>
  operands.some(({ isDenormal }) => isDenormal) ? EXCEPTION.denormal : 0;

export const invalidFlag = (...operands: readonly Unpacked[]): number =>
  operands.some(({ kind }) => kind === 'signaling') ? EXCEPTION.invalid : 0;

const invalid = ({ indefinite }: FloatFormat): Rounded => ({ bits: indefinite, flags: EXCEPTION.invalid });

/** SDM, "Operating on SNaNs and QNaNs": the first operand that is a NaN, made quiet. */
function propagated(left: Unpacked, right: Unpacked, { quiet }: FloatFormat): Rounded | undefined {
  if (!isNotANumber(left) && !isNotANumber(right)) return undefined;
  return { bits: (isNotANumber(left) ? left : right).bits | quiet, flags: invalidFlag(left, right) };
}

type TwoOperands = (left: Unpacked, right: Unpacked, format: FloatFormat, control: number) => Rounded;

/** An operation on numbers that are no NaNs. */
function arithmetic(of: TwoOperands) {
  return (leftBits: bigint, rightBits: bigint, format: FloatFormat, control: number): Rounded => {
    const left = operand(leftBits, format, control);
    const right = operand(rightBits, format, control);
    const result = propagated(left, right, format) ?? of(left, right, format, control);
    const isCertain = (result.flags & (EXCEPTION.invalid | EXCEPTION.divideByZero)) !== 0;
    return isCertain || isNotANumber(left) || isNotANumber(right)
      ? result
      : { ...result, flags: result.flags | denormalFlag(left, right) };
  };
}

const signedValue = ({ isNegative, significand }: Unpacked): bigint => (isNegative ? -significand : significand);
const signIf = (isNegative: boolean, format: FloatFormat): bigint => (isNegative ? format.sign : 0n);

const sum: TwoOperands = (left, right, format, control) => {
  if (left.kind === 'infinity' && right.kind === 'infinity' && left.isNegative !== right.isNegative)
    return invalid(format);
  if (left.kind === 'infinity' || right.kind === 'infinity')
    return { bits: (left.kind === 'infinity' ? left : right).bits, flags: 0 };
  const exponent = Math.min(left.exponent, right.exponent);
  const total =
    (signedValue(left) << BigInt(left.exponent - exponent)) + (signedValue(right) << BigInt(right.exponent - exponent));
  if (total !== 0n)
    return round({ isNegative: total < 0n, significand: total < 0n ? -total : total, exponent }, format, control);
  const bothZero = left.kind === 'zero' && right.kind === 'zero' && left.isNegative === right.isNegative;
  const isNegative = bothZero ? left.isNegative : roundingOf(control) === ROUNDING.down;
  return { bits: signIf(isNegative, format), flags: 0 };
};

export const add = arithmetic(sum);
export const subtract = arithmetic((left, right, format, control) =>
  sum(left, { ...right, isNegative: !right.isNegative, bits: right.bits ^ format.sign }, format, control),
);

export const multiply = arithmetic((left, right, format, control) => {
  const isNegative = left.isNegative !== right.isNegative;
  const kinds = [left.kind, right.kind];
  if (kinds.includes('infinity'))
    return kinds.includes('zero') ? invalid(format) : { bits: signIf(isNegative, format) | format.infinity, flags: 0 };
  if (kinds.includes('zero')) return { bits: signIf(isNegative, format), flags: 0 };
  const significand = left.significand * right.significand;
  return round({ isNegative, significand, exponent: left.exponent + right.exponent }, format, control);
});

export const divide = arithmetic((left, right, format, control) => {
  const isNegative = left.isNegative !== right.isNegative;
  const sign = signIf(isNegative, format);
  if (left.kind === 'infinity')
    return right.kind === 'infinity' ? invalid(format) : { bits: sign | format.infinity, flags: 0 };
  if (right.kind === 'infinity') return { bits: sign, flags: 0 };
  if (right.kind === 'zero')
    return left.kind === 'zero' ? invalid(format) : { bits: sign | format.infinity, flags: EXCEPTION.divideByZero };
  if (left.kind === 'zero') return { bits: sign, flags: 0 };
  return round(quotient(left, right, isNegative, format.precision), format, control);
});

/** At least two bits more than the precision, and whether a remainder is left. */
function quotient(left: Unpacked, right: Unpacked, isNegative: boolean, precision: number): Exact {
  const shift = Math.max(0, precision + 2 + bitLength(right.significand) - bitLength(left.significand));
  const dividend = left.significand << BigInt(shift);
  const significand = dividend / right.significand;
  return {
    isNegative,
    significand,
    exponent: left.exponent - right.exponent - shift,
    isSticky: significand * right.significand !== dividend,
  };
}

/** SQRTPS and its fellows: one operand. */
export function squareRoot(bits: bigint, format: FloatFormat, control: number): Rounded {
  const number = operand(bits, format, control);
  if (isNotANumber(number)) return { bits: number.bits | format.quiet, flags: invalidFlag(number) };
  if (number.kind === 'zero') return { bits: number.bits, flags: 0 };
  if (number.isNegative) return invalid(format);
  if (number.kind === 'infinity') return { bits: number.bits, flags: 0 };
  const wanted = 2 * (format.precision + 2);
  const shift = Math.max(0, wanted - bitLength(number.significand));
  const even = shift + ((number.exponent - shift) & 1);
  const square = number.significand << BigInt(even);
  const significand = integerRoot(square);
  const exact = {
    isNegative: false,
    significand,
    exponent: (number.exponent - even) / 2,
    isSticky: significand * significand !== square,
  };
  const result = round(exact, format, control);
  return { ...result, flags: result.flags | denormalFlag(number) };
}

/** The greatest integer whose square is not above a positive one: Newton's iteration from above. */
function integerRoot(square: bigint): bigint {
  let root = 1n << BigInt((bitLength(square) + 1) >> 1);
  for (;;) {
    const next = (root + square / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** MAXPS, MINPS: the second operand unless the first is beyond it; a NaN of either kind, and two zeros, give the second. */
export function extreme(
  wantsGreater: boolean,
  leftBits: bigint,
  rightBits: bigint,
  format: FloatFormat,
  control: number,
): Rounded {
  const left = operand(leftBits, format, control);
  const right = operand(rightBits, format, control);
  if (isNotANumber(left) || isNotANumber(right)) return { bits: right.bits, flags: EXCEPTION.invalid };
  const order = compared(left, right, format);
  const takesLeft = wantsGreater ? order > 0 : order < 0;
  return { bits: takesLeft ? left.bits : right.bits, flags: denormalFlag(left, right) };
}

/** The order of two numbers that are no NaNs: negative, 0 or positive. */
function compared(left: Unpacked, right: Unpacked, format: FloatFormat): number {
  const [a, b] = [ordered(left, format), ordered(right, format)];
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The bits without the sign are in the order of magnitudes. */
function ordered({ isNegative, bits }: Unpacked, { sign }: FloatFormat): bigint {
  const magnitude = bits & (sign - 1n);
  return isNegative ? -magnitude : magnitude;
}

/** How two numbers compare, with the exceptions of a comparison; any NaN is one with `isSignaling`. */
export function compareNumbers(
  leftBits: bigint,
  rightBits: bigint,
  isSignaling: boolean,
  format: FloatFormat,
  control: number,
): { readonly order: number | undefined; readonly flags: number } {
  const left = operand(leftBits, format, control);
  const right = operand(rightBits, format, control);
  if (isNotANumber(left) || isNotANumber(right))
    return { order: undefined, flags: isSignaling ? EXCEPTION.invalid : invalidFlag(left, right) };
  return { order: compared(left, right, format), flags: denormalFlag(left, right) };
}
