// Exact arithmetic in all rounding modes: against rational numbers, and against the host's own arithmetic for the nearest.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EXCEPTION, MXCSR } from '../../src/float/environment.js';
import { add, divide, multiply, squareRoot } from '../../src/float/exact-arithmetic.js';
import { BINARY32, BINARY64, unpack } from '../../src/float/format.js';
import { FLOAT_OPERATIONS } from '../../src/float/operations.js';
import { lanesOf } from '../../src/vector/lanes.js';

const DEFAULT = 0x1f80;
const view = new DataView(new ArrayBuffer(8));

function bitsOf(value: number): bigint {
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}

const bits64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
/** Doubles with exponents near each other, so that sums round. */
const double = fc.oneof(
  fc.double({ noNaN: true }),
  fc.tuple(bits64, fc.integer({ min: 1000, max: 1046 })).map(([bits, exponent]) => {
    view.setBigUint64(0, (bits & 0x800f_ffff_ffff_ffffn) | (BigInt(exponent) << 52n));
    return view.getFloat64(0);
  }),
);

describe('exact arithmetic', () => {
  it('rounds to nearest as the host does', () => {
    fc.assert(
      fc.property(double, double, (a, b) => {
        const same = (found: bigint, expected: number): void => {
          if (!Number.isNaN(expected)) expect(found).toBe(bitsOf(expected));
        };
        same(add(bitsOf(a), bitsOf(b), BINARY64, DEFAULT).bits, a + b);
        same(multiply(bitsOf(a), bitsOf(b), BINARY64, DEFAULT).bits, a * b);
        same(divide(bitsOf(a), bitsOf(b), BINARY64, DEFAULT).bits, a / b);
        same(squareRoot(bitsOf(a), BINARY64, DEFAULT).bits, Math.sqrt(a));
      }),
      { numRuns: 500 },
    );
  });

  it('gives neighbours down and up where it is inexact, and one value where it is not', () => {
    fc.assert(
      fc.property(double, double, (a, b) => {
        const [nearest, down, up, zero] = [0, 1, 2, 3].map((mode) =>
          add(bitsOf(a), bitsOf(b), BINARY64, DEFAULT | (mode << 13)),
        ) as [Rounded, Rounded, Rounded, Rounded];
        const total = ordered(up.bits) - ordered(down.bits);
        const isExact = (nearest.flags & EXCEPTION.precision) === 0;
        const isZero = (nearest.bits & ~BINARY64.sign) === 0n;
        if (!isZero) expect(total).toBe(isExact ? 0n : 1n);
        expect([down.bits, up.bits]).toContain(zero.bits);
        expect([down.bits, up.bits]).toContain(nearest.bits);
      }),
      { numRuns: 500 },
    );
  });
});

type Rounded = ReturnType<typeof add>;

/** Bits as numbers in the order of their values. */
function ordered(bits: bigint): bigint {
  return bits & BINARY64.sign ? -(bits & ~BINARY64.sign) : bits;
}

describe('the fast path', () => {
  const words = new Int32Array(16);
  const lanes = lanesOf(words);

  it.each(['add', 'sub', 'mul', 'div', 'sqrt'] as const)('agrees with exact arithmetic: %s', (name) => {
    const { element } = FLOAT_OPERATIONS[`${name}64`];
    fc.assert(
      fc.property(double, double, (a, b) => {
        lanes.quadwords[0] = bitsOf(a);
        lanes.quadwords[1] = bitsOf(b);
        const fast = element(lanes, 4, 0, 2, DEFAULT, 0, 0);
        const result = lanes.quadwords[2];
        const exact = { add, mul: multiply, div: divide, sqrt: squareRootOf, sub: subtract }[name];
        expect({ bits: result, flags: fast }).toEqual(exact(bitsOf(a), bitsOf(b), BINARY64, DEFAULT));
      }),
      { numRuns: 500 },
    );
  });
});

const squareRootOf = (left: bigint, _right: bigint, format: typeof BINARY64, control: number): Rounded =>
  squareRoot(left, format, control);
const subtract = (left: bigint, right: bigint, format: typeof BINARY64, control: number): Rounded =>
  unpack(right, format).kind === 'quiet'
    ? add(left, right, format, control)
    : add(left, right ^ format.sign, format, control);

describe('results that are tiny', () => {
  const LEAST = 0x0080_0000n; // the least normal single
  const HALF = 0x3f00_0000n;

  it('are denormal, zero with FTZ, and underflow if they are inexact', () => {
    expect(multiply(LEAST, HALF, BINARY32, DEFAULT)).toEqual({ bits: 0x0040_0000n, flags: 0 });
    expect(multiply(LEAST, HALF, BINARY32, DEFAULT | MXCSR.flushToZero)).toEqual({
      bits: 0n,
      flags: EXCEPTION.underflow | EXCEPTION.precision,
    });
    expect(multiply(LEAST + 1n, HALF, BINARY32, DEFAULT)).toEqual({
      bits: 0x0040_0000n,
      flags: EXCEPTION.underflow | EXCEPTION.precision,
    });
  });

  it('are so after rounding: what rounds up to the least normal number is not', () => {
    const justBelowTwo = 0x3fff_ffffn;
    const result = multiply(0x0040_0000n, justBelowTwo, BINARY32, DEFAULT | (2 << 13));
    expect(result).toEqual({
      bits: 0x0080_0000n,
      flags: EXCEPTION.underflow | EXCEPTION.precision | EXCEPTION.denormal,
    });
  });

  it('are zeros as operands with DAZ', () => {
    expect(add(1n, 1n, BINARY32, DEFAULT | MXCSR.denormalsAreZeros)).toEqual({ bits: 0n, flags: 0 });
    expect(add(1n, 1n, BINARY32, DEFAULT)).toEqual({ bits: 2n, flags: EXCEPTION.denormal });
  });
});
