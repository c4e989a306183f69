// Conversions between formats, to and from integers, and rounding to an integral value. A conversion to an integer that has
// no place for the value, or of a NaN, is invalid and gives the integer indefinite: the sign bit alone.
import { EXCEPTION, ROUNDING, type Rounded, roundingOf } from './environment.js';
import { invalidFlag, isNotANumber, operand } from './exact-arithmetic.js';
import type { FloatFormat } from './format.js';
import { round, roundToUnit } from './rounding.js';

/** From one format to the other: of a NaN, the upper bits of the fraction stay. */
export function convertFormat(bits: bigint, from: FloatFormat, to: FloatFormat, control: number): Rounded {
  const number = operand(bits, from, control);
  const sign = number.isNegative ? to.sign : 0n;
  if (isNotANumber(number)) {
    const shift = BigInt(to.precision - from.precision);
    const fraction = shift < 0n ? number.significand >> -shift : number.significand << shift;
    return { bits: sign | to.infinity | to.quiet | fraction, flags: invalidFlag(number) };
  }
  if (number.kind === 'infinity') return { bits: sign | to.infinity, flags: 0 };
  if (number.kind === 'zero') return { bits: sign, flags: 0 };
  const result = round(number, to, control);
  return number.isDenormal ? { ...result, flags: result.flags | EXCEPTION.denormal } : result;
}

/** From a signed integer. */
export function fromInteger(value: bigint, to: FloatFormat, control: number): Rounded {
  if (value === 0n) return { bits: 0n, flags: 0 };
  const isNegative = value < 0n;
  return round({ isNegative, significand: isNegative ? -value : value, exponent: 0 }, to, control);
}

/** To a signed integer of a width, rounded as MXCSR says or towards 0. */
export function toInteger(
  bits: bigint,
  from: FloatFormat,
  width: 32 | 64,
  truncates: boolean,
  control: number,
): Rounded {
  const number = operand(bits, from, control);
  const indefinite: Rounded = { bits: 1n << BigInt(width - 1), flags: EXCEPTION.invalid };
  if (number.kind === 'zero') return { bits: 0n, flags: 0 };
  if (number.kind !== 'finite' || number.exponent > width) return indefinite;
  const { integer, isInexact } = roundToUnit(number, 0, truncates ? ROUNDING.zero : roundingOf(control));
  const value = number.isNegative ? -integer : integer;
  if (BigInt.asIntN(width, value) !== value) return indefinite;
  return { bits: BigInt.asUintN(width, value), flags: isInexact ? EXCEPTION.precision : 0 };
}

const FROM_MXCSR = 4;
const SUPPRESS_PRECISION = 8;

/** ROUNDPS: bits 1:0 of the immediate are the mode unless bit 2 takes that of MXCSR; bit 3 keeps precision quiet. */
export function toIntegral(bits: bigint, format: FloatFormat, immediate: number, control: number): Rounded {
  const number = operand(bits, format, control);
  if (isNotANumber(number)) return { bits: number.bits | format.quiet, flags: invalidFlag(number) };
  if (number.kind !== 'finite' || number.exponent >= 0) return { bits: number.bits, flags: 0 };
  const mode = immediate & FROM_MXCSR ? roundingOf(control) : immediate & 3;
  const { integer, isInexact } = roundToUnit(number, 0, mode);
  const flags = isInexact && (immediate & SUPPRESS_PRECISION) === 0 ? EXCEPTION.precision : 0;
  const sign = number.isNegative ? format.sign : 0n;
  if (integer === 0n) return { bits: sign, flags };
  const exact = round({ isNegative: number.isNegative, significand: integer, exponent: 0 }, format, control);
  return { bits: exact.bits, flags };
}
