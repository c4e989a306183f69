// SDM, "Floating-Point Format Conversion": single and double precision in memory, to and from a data register.
import {
  BIAS,
  bitLength,
  type Extended,
  infinity,
  isNan,
  packed,
  quieted,
  type Unpacked,
  unpacked,
  zero,
} from './extended.js';
import { denormalized, type Exact, fitted, inexact, overflowsToInfinity } from './rounding.js';
import { type Arithmetic, EXCEPTION } from './status.js';

interface MemoryFormat {
  readonly width: 32 | 64;
  /** Bits of significand, the hidden one included. */
  readonly precision: number;
  readonly bias: number;
}

const FORMATS: Readonly<Record<32 | 64, MemoryFormat>> = {
  32: { width: 32, precision: 24, bias: 127 },
  64: { width: 64, precision: 53, bias: 1023 },
};

/** A value of memory as an operand; exact, with an SNaN as it is and a denormal marked as one. */
export function widened(bits: bigint, width: 32 | 64): Unpacked {
  const { precision, bias } = FORMATS[width];
  const fractionBits = BigInt(precision - 1);
  const negative = bits >> BigInt(width - 1) === 1n;
  const fraction = bits & ((1n << fractionBits) - 1n);
  const biased = Number((bits >> fractionBits) & BigInt(2 * bias + 1));
  const aligned = fraction << (63n - fractionBits);
  if (biased === 2 * bias + 1) return unpacked(infinity(negative) | aligned);
  if (biased !== 0) return unpacked(packed(negative, biased - bias + BIAS, (1n << 63n) | aligned));
  if (fraction === 0n) return unpacked(zero(negative));
  const length = bitLength(fraction);
  const normal = packed(negative, length - Number(fractionBits) - bias + BIAS, fraction << BigInt(64 - length));
  return { ...unpacked(normal), denormal: true };
}

/** FLD: undefined for an SNaN that is not masked. A denormal raises #D and is loaded even so. */
export function loaded(arithmetic: Arithmetic, { bits, kind, denormal }: Unpacked): Extended | undefined {
  if (kind === 'signaling NaN') return arithmetic.raise(EXCEPTION.IE) ? quieted(bits) : undefined;
  if (denormal) arithmetic.raise(EXCEPTION.DE);
  return bits;
}

/** The bits that a store writes; undefined leaves memory alone. Unmasked overflow and underflow store nothing. */
export function toMemoryFormat(arithmetic: Arithmetic, operand: Unpacked, width: 32 | 64): bigint | undefined {
  const format = FORMATS[width];
  const encode = (biased: number, fraction: bigint) =>
    (operand.negative ? 1n << BigInt(width - 1) : 0n) | (BigInt(biased) << BigInt(format.precision - 1)) | fraction;
  const fractionOf = (significand: bigint) => (significand & ((1n << 63n) - 1n)) >> BigInt(64 - format.precision);
  const highest = 2 * format.bias + 1;
  if (operand.kind === 'zero') return encode(0, 0n);
  if (operand.kind === 'infinity') return encode(highest, 0n);
  if (operand.kind === 'finite') return finite(arithmetic, operand, format, encode);
  const signals = operand.kind !== 'quiet NaN';
  if (signals && !arithmetic.raise(EXCEPTION.IE)) return undefined;
  if (isNan(operand)) return encode(highest, fractionOf(quieted(operand.significand)));
  return (
    (1n << BigInt(width - 1)) | (BigInt(highest) << BigInt(format.precision - 1)) | (1n << BigInt(format.precision - 2))
  );
}

type Encode = (biased: number, fraction: bigint) => bigint;

function finite(arithmetic: Arithmetic, value: Exact, { precision, bias }: MemoryFormat, encode: Encode) {
  const format = { precision, smallest: 1 - bias, largest: bias };
  const result = fitted(value, format, arithmetic.rounding);
  const hidden = 1n << BigInt(precision - 1);
  if (result.range === 'normal') {
    inexact(arithmetic, result);
    return encode(result.exponent + precision - 1 + bias, result.significand - hidden);
  }
  if (result.range === 'overflow') {
    if (!arithmetic.raise(EXCEPTION.OE)) return undefined;
    arithmetic.raise(EXCEPTION.PE);
    arithmetic.roundedUp = overflowsToInfinity(value.negative, arithmetic.rounding);
    return arithmetic.roundedUp ? encode(2 * bias + 1, 0n) : encode(2 * bias, hidden - 1n);
  }
  if (!arithmetic.isMasked(EXCEPTION.UE)) {
    arithmetic.raise(EXCEPTION.UE);
    return undefined;
  }
  const tiny = denormalized(value, format, arithmetic.rounding);
  if (tiny.inexact) arithmetic.raise(EXCEPTION.UE);
  inexact(arithmetic, tiny);
  return encode(0, tiny.significand); // a carry into the hidden bit makes the smallest normal number
}
