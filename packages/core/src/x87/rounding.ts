// SDM, "Rounding", "Numeric Overflow Exception (#O)" and "Numeric Underflow Exception (#U)": an exact result becomes one of
// the format. Tininess is detected after rounding.
import { BIAS, bitLength, type Extended, infinity, packed, zero } from './extended.js';
import { type Arithmetic, EXCEPTION, type Rounding } from './status.js';

/** `significand * 2 ** exponent`, exact. A result with endless digits has a last bit that is 1 in place of the rest. */
export interface Exact {
  readonly negative: boolean;
  readonly significand: bigint;
  readonly exponent: number;
}

interface Shortened {
  readonly significand: bigint;
  readonly inexact: boolean;
  readonly up: boolean;
}

const SMALLEST_EXPONENT = 1 - BIAS;
/** What unmasked overflow takes from the exponent and unmasked underflow adds to it. */
const WRAP = 24_576;

/** Drops low bits of a magnitude, rounded; a negative count adds zeros. */
export function shortened({ negative, significand }: Exact, drop: number, rounding: Rounding): Shortened {
  if (drop <= 0) return { significand: significand << BigInt(-drop), inexact: false, up: false };
  const count = BigInt(drop);
  const kept = significand >> count;
  const rest = significand - (kept << count);
  if (rest === 0n) return { significand: kept, inexact: false, up: false };
  const up = roundsUp(negative, kept, rest, 1n << (count - 1n), rounding);
  return { significand: up ? kept + 1n : kept, inexact: true, up };
}

function roundsUp(negative: boolean, kept: bigint, rest: bigint, half: bigint, rounding: Rounding): boolean {
  switch (rounding) {
    case 'nearest':
      return rest > half || (rest === half && (kept & 1n) === 1n);
    case 'down':
      return negative;
    case 'up':
      return !negative;
    case 'zero':
      return false;
  }
}

/** A format: bits of significand, and the exponents of its smallest and its largest leading bit. */
interface Format {
  readonly precision: number;
  readonly smallest: number;
  readonly largest: number;
}

interface Rounded extends Shortened {
  /** Of the last bit of the significand. */
  readonly exponent: number;
}

/** Rounds to the precision, as if the exponent had no bounds. */
function normalRounded(value: Exact, precision: number, rounding: Rounding): Rounded {
  const drop = bitLength(value.significand) - precision;
  const result = shortened(value, drop, rounding);
  // A carry out of the top leaves a power of two: the bit that falls out below it is 0.
  const carried = bitLength(result.significand) > precision;
  return {
    ...result,
    significand: carried ? result.significand >> 1n : result.significand,
    exponent: value.exponent + drop + (carried ? 1 : 0),
  };
}

/** How a value fits a format: within its range, too large, or too small for a full significand. */
export type Fitted = Rounded & { readonly range: 'normal' | 'overflow' | 'tiny' };

/** Rounds a value that is not 0 to a format of unbounded exponent and says whether it has a place there. */
export function fitted(value: Exact, { precision, smallest, largest }: Format, rounding: Rounding): Fitted {
  const result = normalRounded(value, precision, rounding);
  const leading = result.exponent + precision - 1;
  return { ...result, range: leading > largest ? 'overflow' : leading < smallest ? 'tiny' : 'normal' };
}

/** The masked response to a tiny value: rounded at the last place that the format has. */
export function denormalized(value: Exact, { precision, smallest }: Format, rounding: Rounding): Shortened {
  return shortened(value, smallest - (precision - 1) - value.exponent, rounding);
}

/** SDM, table "Masked Responses to Numeric Overflow": infinity, or the largest finite value. */
export function overflowsToInfinity(negative: boolean, rounding: Rounding): boolean {
  return rounding === 'nearest' || rounding === (negative ? 'down' : 'up');
}

/** The result of an operation in a data register, at the precision of FCW or a given one; raises #O, #U and #P. */
export function rounded(arithmetic: Arithmetic, value: Exact, precision: number = arithmetic.precision): Extended {
  if (value.significand === 0n) return zero(value.negative);
  const format = { precision, smallest: SMALLEST_EXPONENT, largest: BIAS };
  const result = fitted(value, format, arithmetic.rounding);
  if (result.range === 'normal') return finished(arithmetic, value.negative, result, precision, 0);
  if (result.range === 'overflow') {
    return arithmetic.raise(EXCEPTION.OE)
      ? overflowed(arithmetic, value.negative, precision)
      : finished(arithmetic, value.negative, result, precision, -WRAP);
  }
  if (!arithmetic.isMasked(EXCEPTION.UE)) {
    arithmetic.raise(EXCEPTION.UE);
    return finished(arithmetic, value.negative, result, precision, WRAP);
  }
  const tiny = denormalized(value, format, arithmetic.rounding);
  if (tiny.inexact) arithmetic.raise(EXCEPTION.UE);
  inexact(arithmetic, tiny);
  const significand = tiny.significand << BigInt(64 - precision);
  return packed(value.negative, significand >> 63n === 1n ? 1 : 0, significand);
}

/** Reports what rounding did. */
export function inexact(arithmetic: Arithmetic, { inexact: lost, up }: Shortened): void {
  if (lost) arithmetic.raise(EXCEPTION.PE);
  arithmetic.roundedUp = up;
}

function finished(
  arithmetic: Arithmetic,
  negative: boolean,
  result: Rounded,
  precision: number,
  wrap: number,
): Extended {
  const biased = result.exponent + precision - 1 + BIAS + wrap;
  inexact(arithmetic, result);
  // Only FSCALE goes so far that the exponent does not fit even then ("massive" overflow and underflow).
  if (biased >= 0x7fff || biased <= 0) {
    arithmetic.raise(EXCEPTION.PE);
    arithmetic.roundedUp = biased > 0;
    return biased > 0 ? infinity(negative) : zero(negative);
  }
  return packed(negative, biased, result.significand << BigInt(64 - precision));
}

function overflowed(arithmetic: Arithmetic, negative: boolean, precision: number): Extended {
  arithmetic.raise(EXCEPTION.PE);
  arithmetic.roundedUp = overflowsToInfinity(negative, arithmetic.rounding);
  if (arithmetic.roundedUp) return infinity(negative);
  return packed(negative, 0x7ffe, ((1n << BigInt(precision)) - 1n) << BigInt(64 - precision));
}
