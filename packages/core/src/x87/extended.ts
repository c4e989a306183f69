// SDM, "x87 FPU Data Types": the double extended-precision format, and what its encodings mean. A value is the 80 bits of
// a data register as one bigint: sign, 15 bits of exponent, 64 bits of significand with the integer bit in the open.

/** 80 bits as they stand in a data register. */
export type Extended = bigint;

/** SDM, "Unsupported Double Extended-Precision Floating-Point Encodings and Pseudo-Denormals". */
type Kind = 'zero' | 'finite' | 'infinity' | 'quiet NaN' | 'signaling NaN' | 'unsupported';

/** An encoding taken apart. */
export interface Unpacked {
  readonly bits: Extended;
  readonly kind: Kind;
  readonly negative: boolean;
  /** A finite value is `significand * 2 ** exponent`. */
  readonly significand: bigint;
  readonly exponent: number;
  /** Denormal or pseudo-denormal: what raises #D. */
  readonly denormal: boolean;
}

export const BIAS = 16383;
const LARGEST_EXPONENT = 0x7fff;
const INTEGER_BIT = 1n << 63n;
const QUIET_BIT = 1n << 62n;
const SIGNIFICAND = (1n << 64n) - 1n;
const SIGN = 1n << 79n;

/** Puts an encoding together; the exponent is the biased one. */
export function packed(negative: boolean, biased: number, significand: bigint): Extended {
  return (negative ? SIGN : 0n) | (BigInt(biased) << 64n) | significand;
}

/** SDM, "Indefinite": the QNaN that answers a masked invalid operation. */
export const INDEFINITE = packed(true, LARGEST_EXPONENT, INTEGER_BIT | QUIET_BIT);

export const zero = (negative: boolean): Extended => packed(negative, 0, 0n);
export const infinity = (negative: boolean): Extended => packed(negative, LARGEST_EXPONENT, INTEGER_BIT);
export const negated = (value: Extended): Extended => value ^ SIGN;
export const magnitude = (value: Extended): Extended => value & ~SIGN;
/** An SNaN becomes quiet, a QNaN stays. */
export const quieted = (value: Extended): Extended => value | QUIET_BIT;

function kindOf(biased: number, significand: bigint): Kind {
  if (biased === 0) return significand === 0n ? 'zero' : 'finite';
  if ((significand & INTEGER_BIT) === 0n) return 'unsupported';
  if (biased !== LARGEST_EXPONENT) return 'finite';
  if (significand === INTEGER_BIT) return 'infinity';
  return (significand & QUIET_BIT) === 0n ? 'signaling NaN' : 'quiet NaN';
}

export function unpacked(bits: Extended): Unpacked {
  const biased = Number((bits >> 64n) & 0x7fffn);
  const significand = bits & SIGNIFICAND;
  const kind = kindOf(biased, significand);
  return {
    bits,
    kind,
    negative: (bits & SIGN) !== 0n,
    significand,
    exponent: Math.max(biased, 1) - BIAS - 63,
    denormal: biased === 0 && kind === 'finite',
  };
}

export const isNan = ({ kind }: Unpacked): boolean => kind === 'quiet NaN' || kind === 'signaling NaN';

/** Finite or infinite. */
export const isNumber = ({ kind }: Unpacked): boolean => kind === 'zero' || kind === 'finite' || kind === 'infinity';

/** Number of bits up to the highest 1; 0 for 0. */
export function bitLength(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length;
}
