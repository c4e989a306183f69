// Binary floating-point formats (IEEE 754; SDM, "Floating-Point Data Types"), and numbers taken apart. Exact, with BigInt:
// for what the host's own arithmetic cannot answer.

/** A format with a hidden bit. */
export interface FloatFormat {
  readonly width: 32 | 64;
  /** Bits of the significand, the hidden one included. */
  readonly precision: number;
  /** Of the smallest normal number. */
  readonly leastExponent: number;
  readonly mostExponent: number;
  readonly sign: bigint;
  readonly infinity: bigint;
  readonly quiet: bigint;
  readonly fraction: bigint;
  /** The QNaN that stands for "no number": sign set (SDM, "QNaN Floating-Point Indefinite"). */
  readonly indefinite: bigint;
}

function format(width: 32 | 64, precision: number): FloatFormat {
  const sign = 1n << BigInt(width - 1);
  const hidden = 1n << BigInt(precision - 1);
  const infinity = sign - hidden;
  const quiet = hidden >> 1n;
  const mostExponent = 2 ** (width - precision - 1) - 1;
  return {
    width,
    precision,
    leastExponent: 1 - mostExponent,
    mostExponent,
    sign,
    infinity,
    quiet,
    fraction: hidden - 1n,
    indefinite: sign | infinity | quiet,
  };
}

export const BINARY32 = format(32, 24);
export const BINARY64 = format(64, 53);

/** What the bits of a number mean. */
export interface Unpacked {
  readonly kind: 'zero' | 'finite' | 'infinity' | 'quiet' | 'signaling';
  readonly isNegative: boolean;
  readonly isDenormal: boolean;
  /** The magnitude is `significand` times two to `exponent`. */
  readonly significand: bigint;
  readonly exponent: number;
  readonly bits: bigint;
}

/** Takes a number apart. */
export function unpack(
  bits: bigint,
  { precision, leastExponent, sign, infinity, quiet, fraction }: FloatFormat,
): Unpacked {
  const isNegative = (bits & sign) !== 0n;
  const significand = bits & fraction;
  const biased = Number((bits & infinity) >> BigInt(precision - 1));
  const lowest = leastExponent - precision + 1;
  if ((bits & infinity) === infinity) {
    const kind = significand === 0n ? 'infinity' : (bits & quiet) !== 0n ? 'quiet' : 'signaling';
    return { kind, isNegative, isDenormal: false, significand, exponent: 0, bits };
  }
  if (biased === 0) {
    const kind = significand === 0n ? 'zero' : 'finite';
    return { kind, isNegative, isDenormal: significand !== 0n, significand, exponent: lowest, bits };
  }
  const hidden = fraction + 1n;
  const exponent = lowest + biased - 1;
  return { kind: 'finite', isNegative, isDenormal: false, significand: significand | hidden, exponent, bits };
}

/** Bits of a positive integer. */
export function bitLength(value: bigint): number {
  const digits = value.toString(16);
  return digits.length * 4 - Math.clz32(Number.parseInt(digits.charAt(0), 16)) + 28;
}
