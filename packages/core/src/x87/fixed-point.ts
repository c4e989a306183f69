// Elementary functions in fixed point, for the transcendental instructions: numbers are bigints in units of `2 ** -bits`.
// Each result is off by a few hundred units at the most; who calls takes enough bits that no rounding sees it. The series
// are the plain ones, after the argument was made small.
import { integerRoot } from './basic-arithmetic.js';

/** `sum of term(n)` until the terms vanish; each is made of the one before. */
function series(first: bigint, next: (term: bigint, index: bigint) => bigint): bigint {
  let sum = first;
  let index = 1n;
  for (let term = next(first, index); term !== 0n && term !== -1n; term = next(term, ++index)) sum += term;
  return sum;
}

/** Odd powers of z over their exponents: the area tangent for a positive sign, the arctangent for a negative one. */
function oddPowers(z: bigint, bits: bigint, sign: 1n | -1n): bigint {
  const square = (z * z) >> bits;
  let power = z;
  return series(z, (_term, index) => {
    power = (sign * power * square) >> bits;
    return power / (2n * index + 1n);
  });
}

/** e to the power of x, less 1; x between -1 and 1. */
export function exponentialLessOne(x: bigint, bits: bigint): bigint {
  return series(x, (term, index) => ((term * x) >> bits) / (index + 1n));
}

/** Sine and cosine; x between -1 and 1. */
export function sineAndCosine(x: bigint, bits: bigint): readonly [sine: bigint, cosine: bigint] {
  const square = (x * x) >> bits;
  const term = (index: bigint, from: bigint) => (2n * index + from) * (2n * index + from - 1n);
  const sine = series(x, (before, index) => -((before * square) >> bits) / term(index, 1n));
  const cosine = series(1n << bits, (before, index) => -((before * square) >> bits) / term(index, 0n));
  return [sine, cosine];
}

/** How often an arctangent is halved, so that the series is short. */
const HALVINGS = 4n;

/** The arctangent of z between 0 and 1. */
export function arctangent(z: bigint, bits: bigint): bigint {
  const one = 1n << bits;
  const halvings = z >> (bits - HALVINGS) === 0n ? 0n : HALVINGS;
  let reduced = z;
  for (let done = 0n; done < halvings; done++) {
    const hypotenuse = integerRoot((one + ((reduced * reduced) >> bits)) << bits);
    reduced = (reduced << bits) / (one + hypotenuse);
  }
  return oddPowers(reduced, bits, -1n) << halvings;
}

/** The natural logarithm of `1 + x` for x between -0.5 and 1. */
export function logarithmOfOnePlus(x: bigint, bits: bigint): bigint {
  const ratio = (x << bits) / (x + (2n << bits));
  return 2n * oddPowers(ratio, bits, 1n);
}

/** Bits of the constants: more than any caller asks for. */
const CONSTANT_BITS = 1024n;

function constants() {
  const bits = CONSTANT_BITS + 32n;
  const inverse = (whole: bigint) => (1n << bits) / whole;
  const pi = 4n * (4n * oddPowers(inverse(5n), bits, -1n) - oddPowers(inverse(239n), bits, -1n));
  return { pi, ln2: 2n * oddPowers(inverse(3n), bits, 1n), bits };
}

let made: ReturnType<typeof constants> | undefined;

/** π or the natural logarithm of 2, with at most 1024 bits of fraction. */
export function constant(name: 'pi' | 'ln2', bits: bigint): bigint {
  made ??= constants();
  return made[name] >> (made.bits - bits);
}
