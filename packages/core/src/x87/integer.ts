// SDM, "Integer" and "Packed BCD" data types of the x87 FPU: to and from a data register, and FRNDINT.
import { BIAS, type Extended, packed, type Unpacked, zero } from './extended.js';
import { decided, type Result } from './operands.js';
import { inexact, rounded, shortened } from './rounding.js';
import { Arithmetic, EXCEPTION, type Rounding } from './status.js';

/** A signed integer of at most 64 bits is always exact. */
export function fromInteger(value: bigint): Extended {
  if (value === 0n) return zero(false);
  const size = value < 0n ? -value : value;
  const length = size.toString(2).length;
  return packed(value < 0n, BIAS + length - 1, size << BigInt(64 - length));
}

/** The magnitude of a finite value as an integer; a very small one counts only as not 0. */
function integral(value: Unpacked, rounding: Rounding) {
  if (value.exponent >= 0)
    return { significand: value.significand << BigInt(value.exponent), inexact: false, up: false };
  const bounded = value.exponent < -66 ? { ...value, significand: 1n, exponent: -66 } : value;
  return shortened(bounded, -bounded.exponent, rounding);
}

/** FRNDINT. */
export function roundedToInteger(arithmetic: Arithmetic, operand: Unpacked): Result {
  return decided(arithmetic, { operands: [operand] }, () => {
    if (operand.kind !== 'finite' || operand.exponent >= 0) return operand.bits;
    const result = integral(operand, arithmetic.rounding);
    inexact(arithmetic, result);
    return rounded(
      new Arithmetic(arithmetic.control),
      { negative: operand.negative, significand: result.significand, exponent: 0 },
      64,
    );
  });
}

/** The integer that a store writes; undefined if it does not fit or there is none, which is invalid. */
function storedInteger(
  arithmetic: Arithmetic,
  operand: Unpacked,
  rounding: Rounding,
  fits: (integer: bigint) => boolean,
) {
  if ((operand.kind === 'finite' && operand.exponent <= 64) || operand.kind === 'zero') {
    const result =
      operand.kind === 'zero' ? { significand: 0n, inexact: false, up: false } : integral(operand, rounding);
    const integer = operand.negative ? -result.significand : result.significand;
    if (fits(integer)) {
      inexact(arithmetic, result);
      return { integer, negative: operand.negative };
    }
  }
  arithmetic.raise(EXCEPTION.IE);
  return undefined;
}

/** FIST and FISTTP: the bits of the integer in memory; undefined leaves memory alone. */
export function toInteger(
  arithmetic: Arithmetic,
  value: Unpacked,
  width: 16 | 32 | 64,
  rounding: Rounding = arithmetic.rounding,
): bigint | undefined {
  const stored = storedInteger(arithmetic, value, rounding, (integer) => BigInt.asIntN(width, integer) === integer);
  if (stored !== undefined) return BigInt.asUintN(width, stored.integer);
  return arithmetic.isMasked(EXCEPTION.IE) ? 1n << BigInt(width - 1) : undefined; // the integer indefinite
}

const DIGITS = 18;
const MOST_DIGITS = 10n ** BigInt(DIGITS);
const DECIMAL_SIGN = 1n << 79n;
/** SDM, "Packed BCD Indefinite". */
const DECIMAL_INDEFINITE = 0xffff_c000_0000_0000_0000n;

/** FBLD: 18 digits and a sign. Digits above 9 are undefined; each counts with its value, as on processors. */
export function fromDecimal(bits: bigint): Extended {
  let value = 0n;
  for (let digit = DIGITS - 1; digit >= 0; digit--) value = value * 10n + ((bits >> BigInt(4 * digit)) & 0xfn);
  const negative = (bits & DECIMAL_SIGN) !== 0n;
  return value === 0n ? zero(negative) : fromInteger(negative ? -value : value);
}

/** FBSTP: the 80 bits in memory; undefined leaves memory alone. */
export function toDecimal(arithmetic: Arithmetic, value: Unpacked): bigint | undefined {
  const stored = storedInteger(
    arithmetic,
    value,
    arithmetic.rounding,
    (integer) => integer < MOST_DIGITS && -integer < MOST_DIGITS,
  );
  if (stored === undefined) return arithmetic.isMasked(EXCEPTION.IE) ? DECIMAL_INDEFINITE : undefined;
  const size = stored.integer < 0n ? -stored.integer : stored.integer;
  return BigInt(`0x${size.toString()}`) | (stored.negative ? DECIMAL_SIGN : 0n);
}
