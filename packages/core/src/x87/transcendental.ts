// SDM, "x87 FPU Transcendental Instructions": what each computes from numbers, correctly rounded. The manual promises an
// error of less than one unit in the last place and leaves the rest to the processor. Precision control does not apply.
import { bitLength, type Extended, infinity, type Unpacked, zero } from './extended.js';
import { arctangent, constant, exponentialLessOne, logarithmOfOnePlus, sineAndCosine } from './fixed-point.js';
import { decided, type Result } from './operands.js';
import { type Exact, rounded } from './rounding.js';
import type { Arithmetic } from './status.js';

/** Bits that a result has beyond its leading one: the 64 of the format, and enough that a tie would be a wonder. */
const GUARD = 256;
const WHOLE = 64;

/** The place of the leading bit: 0 for values from 1 up to 2. */
const leading = ({ significand, exponent }: Omit<Exact, 'negative'>): number => bitLength(significand) + exponent - 1;

/** Bits of fraction in which a value this small has its guard bits. */
const bitsFor = (place: number): bigint => BigInt(GUARD + Math.max(0, -place));

const signed = ({ negative, significand }: Exact): bigint => (negative ? -significand : significand);

function fixed(value: Exact, bits: bigint): bigint {
  const shift = BigInt(value.exponent) + bits;
  return shift >= 0n ? signed(value) << shift : signed(value) >> -shift;
}

/** A result that has endless digits: its last bit is 1. */
function endless(value: bigint, bits: bigint): Exact {
  const size = value < 0n ? -value : value;
  return { negative: value < 0n, significand: (size << 1n) | 1n, exponent: -Number(bits) - 1 };
}

function product(one: Exact, other: Exact): Exact {
  return {
    negative: one.negative !== other.negative,
    significand: one.significand * other.significand,
    exponent: one.exponent + other.exponent,
  };
}

/** F2XM1. Beyond -1 and 1 the manual leaves the result undefined: the source stays. */
export function powerLessOne(arithmetic: Arithmetic, x: Unpacked): Result {
  return decided(arithmetic, { operands: [x] }, () => {
    if (x.kind === 'zero') return x.bits;
    if (x.kind === 'infinity') return x.negative ? rounded(arithmetic, { ...ONE, negative: true }, WHOLE) : x.bits;
    if (leading(x) >= 0) return leading(x) === 0 ? powerOfOne(arithmetic, x) : x.bits;
    const place = leading(x);
    const bits = bitsFor(place - 1);
    const ln2 = { negative: false, significand: constant('ln2', BigInt(GUARD)), exponent: -GUARD };
    return rounded(arithmetic, endless(exponentialLessOne(fixed(product(x, ln2), bits), bits), bits), WHOLE);
  });
}

const ONE: Exact = { negative: false, significand: 1n, exponent: 0 };
const INTEGER_BIT = 1n << 63n;

/** 1 for 1 and -0.5 for -1, exactly. */
function powerOfOne(arithmetic: Arithmetic, x: Unpacked): Extended {
  if (x.significand !== INTEGER_BIT || !x.negative) return x.bits;
  return rounded(arithmetic, { negative: true, significand: 1n, exponent: -1 }, WHOLE);
}

/** SDM, "Approximation of Pi": a significand of 66 bits, by which arguments are reduced. */
const PI_66 = { significand: 0xc_90fd_aa22_168c_234cn, exponent: -66 };
/** Arguments of this size and above are out of range: C2. */
const LARGEST_ANGLE = 63;

export function isOutOfRange(x: Unpacked): boolean {
  return x.kind === 'finite' && leading(x) >= LARGEST_ANGLE;
}

interface Circular {
  readonly sine: Exact;
  readonly cosine: Exact;
}

/** Sine and cosine of a number that is not 0. */
function circular(x: Unpacked): Circular {
  // In units of 2 ** exponent: the angle less the nearest multiple of a quarter turn, which is half of π.
  const exponent = Math.min(x.exponent, PI_66.exponent - 1);
  const angle = signed(x) << BigInt(x.exponent - exponent);
  const quarter = PI_66.significand << BigInt(PI_66.exponent - 1 - exponent);
  const turns = floorDivide(2n * angle + quarter, 2n * quarter);
  const rest = angle - turns * quarter;
  const reduced = { negative: rest < 0n, significand: rest < 0n ? -rest : rest, exponent };
  const bits = bitsFor(leading(reduced));
  const [sine, cosine] = sineAndCosine(fixed(reduced, bits), bits).map((value) => endless(value, bits)) as [
    Exact,
    Exact,
  ];
  const opposite = (value: Exact): Exact => ({ ...value, negative: !value.negative });
  const quadrants: readonly Circular[] = [
    { sine, cosine },
    { sine: cosine, cosine: opposite(sine) },
    { sine: opposite(sine), cosine: opposite(cosine) },
    { sine: opposite(cosine), cosine: sine },
  ];
  return quadrants[Number(turns & 3n)] as Circular;
}

function floorDivide(over: bigint, under: bigint): bigint {
  const quotient = over / under;
  return over < 0n && quotient * under !== over ? quotient - 1n : quotient;
}

/** FSIN and FCOS, of an argument that is in range. */
export function sine(arithmetic: Arithmetic, x: Unpacked): Result {
  return decided(arithmetic, { operands: [x], invalid: x.kind === 'infinity' }, () =>
    x.kind === 'zero' ? x.bits : rounded(arithmetic, circular(x).sine, WHOLE),
  );
}

export function cosine(arithmetic: Arithmetic, x: Unpacked): Result {
  return decided(arithmetic, { operands: [x], invalid: x.kind === 'infinity' }, () =>
    rounded(arithmetic, x.kind === 'zero' ? ONE : circular(x).cosine, WHOLE),
  );
}

/** FPTAN, of an argument that is in range. */
export function tangent(arithmetic: Arithmetic, x: Unpacked): Result {
  return decided(arithmetic, { operands: [x], invalid: x.kind === 'infinity' }, () => {
    if (x.kind === 'zero') return x.bits;
    const { sine: over, cosine: under } = circular(x);
    const shift = bitLength(under.significand) + GUARD;
    return rounded(
      arithmetic,
      {
        negative: over.negative !== under.negative,
        significand: ((over.significand << BigInt(shift)) / under.significand) | 1n,
        exponent: over.exponent - under.exponent - shift,
      },
      WHOLE,
    );
  });
}

/** FPATAN: the angle of the point (x, y), from -π to π. */
export function angle(arithmetic: Arithmetic, y: Unpacked, x: Unpacked): Result {
  return decided(arithmetic, { operands: [x, y] }, () => {
    const onPositiveAxis = !x.negative && (y.kind === 'zero' || (x.kind === 'infinity' && y.kind !== 'infinity'));
    if (onPositiveAxis) return zero(y.negative);
    return rounded(arithmetic, { ...angleOf(y, x), negative: y.negative }, WHOLE);
  });
}

/** In eighths of a turn, for points on the axes and at infinity. */
function axisEighths(y: Unpacked, x: Unpacked): bigint | undefined {
  const far = y.kind === 'infinity' && x.kind === 'infinity';
  if (far) return x.negative ? 3n : 1n;
  if (y.kind === 'infinity' || (x.kind === 'zero' && y.kind !== 'zero')) return 2n;
  return y.kind === 'zero' || x.kind === 'infinity' ? 4n : undefined;
}

function angleOf(y: Unpacked, x: Unpacked): Exact {
  const eighths = axisEighths(y, x);
  const bits = BigInt(GUARD);
  const pi = constant('pi', bits);
  if (eighths !== undefined) return endless((pi * eighths) >> 2n, bits);
  if (isSteep(y, x)) {
    const fromAxis = arctangent(ratio(x, y, bits), bits);
    return endless(pi / 2n + (x.negative ? fromAxis : -fromAxis), bits);
  }
  if (x.negative) return endless(pi - arctangent(ratio(y, x, bits), bits), bits);
  const fine = bitsFor(leading(y) - leading(x) - 1);
  return endless(arctangent(ratio(y, x, fine), fine), fine);
}

/** |y| > |x| */
function isSteep(y: Unpacked, x: Unpacked): boolean {
  if (leading(y) !== leading(x)) return leading(y) > leading(x);
  const shift = y.exponent - x.exponent;
  return shift >= 0 ? y.significand << BigInt(shift) > x.significand : y.significand > x.significand << BigInt(-shift);
}

/** The quotient of two magnitudes in fixed point. */
function ratio(over: Unpacked, under: Unpacked, bits: bigint): bigint {
  const shift = bits + BigInt(over.exponent - under.exponent);
  return shift >= 0n
    ? (over.significand << shift) / under.significand
    : over.significand / (under.significand << -shift);
}

/** FYL2X: y times the binary logarithm of x. */
export function timesLogarithm(arithmetic: Arithmetic, y: Unpacked, x: Unpacked): Result {
  const isOne = x.kind === 'finite' && x.significand === INTEGER_BIT && leading(x) === 0;
  const below = x.kind === 'zero' || (x.kind === 'finite' && leading(x) < 0);
  const invalid =
    (x.negative && x.kind !== 'zero') ||
    (y.kind === 'zero' && (x.kind === 'zero' || x.kind === 'infinity')) ||
    (y.kind === 'infinity' && isOne);
  const dividesByZero = x.kind === 'zero' && y.kind === 'finite' ? { negative: !y.negative } : undefined;
  return decided(arithmetic, { operands: [x, y], invalid, dividesByZero }, () => {
    const negative = y.negative !== below;
    if (y.kind === 'infinity' || x.kind === 'infinity') return infinity(negative);
    if (y.kind === 'zero' || isOne) return zero(negative);
    return rounded(arithmetic, product(y, binaryLogarithm(x)), WHOLE);
  });
}

/** The square root of 2, with which the significand is compared so that a logarithm near 0 is not a difference. */
const SQUARE_ROOT_OF_2 = 0xb504_f333_f9de_6484n;

/** Of a positive number other than 1. */
function binaryLogarithm(x: Unpacked): Exact {
  const length = bitLength(x.significand);
  const normal = x.significand << BigInt(64 - length);
  const above = normal > SQUARE_ROOT_OF_2;
  const whole = BigInt(leading(x) + (above ? 1 : 0));
  if (normal === INTEGER_BIT) return { negative: whole < 0n, significand: whole < 0n ? -whole : whole, exponent: 0 };
  const difference = normal - (INTEGER_BIT << (above ? 1n : 0n));
  return logarithmNear(difference, above ? -64 : -63, whole);
}

/** `whole` and the binary logarithm of `1 + difference * 2 ** exponent`. */
function logarithmNear(difference: bigint, exponent: number, whole: bigint): Exact {
  const exact = { negative: difference < 0n, significand: difference < 0n ? -difference : difference, exponent };
  const bits = bitsFor(leading(exact));
  const natural = logarithmOfOnePlus(fixed(exact, bits), bits);
  const binary = (natural << BigInt(2 * GUARD)) / constant('ln2', BigInt(2 * GUARD));
  return endless((whole << bits) + binary, bits);
}

/**
 * FYL2XP1: y times the binary logarithm of x + 1. The manual defines it for x between the two values where that is half
 * an octave; here it is computed for all x above -1, and below that x stays.
 */
export function timesLogarithmOfOnePlus(arithmetic: Arithmetic, y: Unpacked, x: Unpacked): Result {
  const invalid =
    (x.kind === 'infinity' && (x.negative || y.kind === 'zero')) || (x.kind === 'zero' && y.kind === 'infinity');
  return decided(arithmetic, { operands: [x, y], invalid }, () => {
    const negative = y.negative !== x.negative;
    if (y.kind === 'infinity' || x.kind === 'infinity') return infinity(negative);
    if (y.kind === 'zero' || x.kind === 'zero') return zero(negative);
    if (x.negative && leading(x) >= 0) return x.bits;
    return rounded(arithmetic, product(y, logarithmOfSum(x)), WHOLE);
  });
}

function logarithmOfSum(x: Unpacked): Exact {
  if (leading(x) < -1) return logarithmNear(signed(x), x.exponent, 0n);
  // The sum has an exponent of its own, but for numbers so large that the 1 is only a last bit.
  const exponent = Math.max(Math.min(x.exponent, 0), -63 - GUARD);
  const sum =
    x.exponent > GUARD ? x.significand : (1n << BigInt(-exponent)) + (signed(x) << BigInt(x.exponent - exponent));
  const length = bitLength(sum);
  const place = length - 1 + (x.exponent > GUARD ? x.exponent : exponent);
  const difference = sum - (1n << BigInt(length - 1));
  if (difference === 0n) return { negative: place < 0, significand: BigInt(Math.abs(place)), exponent: 0 };
  return logarithmNear(difference, 1 - length, BigInt(place));
}
