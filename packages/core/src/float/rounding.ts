// From an exact value to the nearest one of a format, in any of the four modes, with the exceptions of the result:
// overflow, underflow (tininess is detected after rounding) and precision.
import { EXCEPTION, isMasked, MXCSR, ROUNDING, type Rounded, roundingOf } from './environment.js';
import { bitLength, type FloatFormat } from './format.js';

/** A magnitude: the significand times two to the exponent; `isSticky` if a little more, less than one unit of it. */
export interface Exact {
  readonly isNegative: boolean;
  readonly significand: bigint;
  readonly exponent: number;
  readonly isSticky?: boolean;
}

/** Whether a discarded part, compared with one half, takes the magnitude one unit up. */
function roundsUp(mode: number, isNegative: boolean, isOdd: boolean, half: -1 | 0 | 1): boolean {
  switch (mode) {
    case ROUNDING.down:
      return isNegative;
    case ROUNDING.up:
      return !isNegative;
    case ROUNDING.zero:
      return false;
    default:
      return half > 0 || (half === 0 && isOdd);
  }
}

/** A magnitude in units of two to `unit`, as an integer. */
export function roundToUnit(
  { isNegative, significand, exponent, isSticky = false }: Exact,
  unit: number,
  mode: number,
): { readonly integer: bigint; readonly isInexact: boolean } {
  const drop = unit - exponent;
  if (drop <= 0) {
    const integer = significand << BigInt(-drop);
    const up = isSticky && roundsUp(mode, isNegative, false, -1);
    return { integer: up ? integer + 1n : integer, isInexact: isSticky };
  }
  const integer = significand >> BigInt(drop);
  const rest = significand - (integer << BigInt(drop));
  const half = 1n << BigInt(drop - 1);
  const isInexact = rest !== 0n || isSticky;
  if (!isInexact) return { integer, isInexact };
  const compared = rest > half || (rest === half && isSticky) ? 1 : rest === half ? 0 : -1;
  const up = roundsUp(mode, isNegative, (integer & 1n) === 1n, compared);
  return { integer: up ? integer + 1n : integer, isInexact };
}

/** Rounds a magnitude other than 0 to a format. A sticky one needs at least two bits more than the format has. */
export function round(exact: Exact, format: FloatFormat, control: number): Rounded {
  const { precision, leastExponent, mostExponent } = format;
  const mode = roundingOf(control);
  const sign = exact.isNegative ? format.sign : 0n;
  const top = exact.exponent + bitLength(exact.significand);
  const unbounded = roundToUnit(exact, top - precision, mode);
  const exponent = top - 1 + (bitLength(unbounded.integer) > precision ? 1 : 0);
  const inexact = unbounded.isInexact ? EXCEPTION.precision : 0;
  if (exponent > mostExponent) return overflowed(exact.isNegative, format, control, inexact);
  if (exponent >= leastExponent)
    return { bits: sign | packed(unbounded.integer, top - precision, format), flags: inexact };
  if (!isMasked(control, EXCEPTION.underflow)) return { bits: sign, flags: EXCEPTION.underflow | inexact };
  if (control & MXCSR.flushToZero) return { bits: sign, flags: EXCEPTION.underflow | EXCEPTION.precision };
  const denormal = roundToUnit(exact, leastExponent - precision + 1, mode);
  // A denormal that rounds up to the hidden bit is the least normal number: the same sum of bits.
  return {
    bits: sign | denormal.integer,
    flags: denormal.isInexact ? EXCEPTION.underflow | EXCEPTION.precision : 0,
  };
}

/** A normal number from an integer of the precision's bits (or two to them) and the exponent of its unit. */
function packed(integer: bigint, unit: number, { precision, leastExponent }: FloatFormat): bigint {
  const biased = unit - (leastExponent - precision + 1) + 1;
  // Adding the hidden bit to the exponent field below it also carries a significand that was rounded up to a power of two.
  return (BigInt(biased - 1) << BigInt(precision - 1)) + integer;
}

function overflowed(isNegative: boolean, format: FloatFormat, control: number, inexact: number): Rounded {
  const sign = isNegative ? format.sign : 0n;
  const flags = EXCEPTION.overflow | inexact;
  if (!isMasked(control, EXCEPTION.overflow)) return { bits: sign, flags };
  const toInfinity = roundsUp(roundingOf(control), isNegative, true, 0);
  return {
    bits: sign | (toInfinity ? format.infinity : format.infinity - 1n),
    flags: flags | EXCEPTION.precision,
  };
}
