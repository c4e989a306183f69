// SDM, "Basic Arithmetic Instructions": add, subtract, multiply, divide and square root, computed exactly and rounded once
// to the precision that FCW asks for.
import { bitLength, infinity, isNumber, negated, type Unpacked, zero } from './extended.js';
import { decided, type Result } from './operands.js';
import { type Exact, rounded } from './rounding.js';
import type { Arithmetic } from './status.js';

/** Farther apart than this, the smaller of two summands only says which side of the larger one the sum is. */
const FARTHEST = 70;

/** Numerators are widened so that a quotient or a root has this many bits, more than any rounding looks at. */
const QUOTIENT_BITS = 132;

export function add(arithmetic: Arithmetic, left: Unpacked, right: Unpacked): Result {
  const infinite = [left, right].filter(({ kind }) => kind === 'infinity');
  return decided(
    arithmetic,
    { operands: [left, right], invalid: infinite.length === 2 && left.negative !== right.negative },
    () => {
      if (infinite[0] !== undefined) return infinity(infinite[0].negative);
      return rounded(arithmetic, sum(left, right, arithmetic));
    },
  );
}

/** SDM: NaN operands keep their sign, so the subtrahend is negated only where it is a number. */
export function subtract(arithmetic: Arithmetic, minuend: Unpacked, subtrahend: Unpacked): Result {
  return add(arithmetic, minuend, isNumber(subtrahend) ? negatedNumber(subtrahend) : subtrahend);
}

function negatedNumber(value: Unpacked): Unpacked {
  return { ...value, bits: negated(value.bits), negative: !value.negative };
}

function sum(left: Unpacked, right: Unpacked, { rounding }: Arithmetic): Exact {
  const exponent = Math.min(left.exponent, right.exponent, Math.max(left.exponent, right.exponent) - FARTHEST);
  const total = aligned(left, exponent) + aligned(right, exponent);
  if (total !== 0n) return { negative: total < 0n, significand: total < 0n ? -total : total, exponent };
  // An exact zero is positive, negative when rounding down; two zeros of one sign keep it.
  const sameZeros = left.kind === 'zero' && right.kind === 'zero' && left.negative === right.negative;
  return { negative: sameZeros ? left.negative : rounding === 'down', significand: 0n, exponent };
}

/** Signed, in units of `2 ** exponent`; what lies below the unit is a last bit of 1. */
function aligned({ negative, significand, exponent: own }: Unpacked, exponent: number): bigint {
  if (significand === 0n) return 0n;
  const shift = own - exponent;
  const magnitude = shift >= 0 ? significand << BigInt(shift) : (significand >> BigInt(-shift)) | 1n;
  return negative ? -magnitude : magnitude;
}

export function multiply(arithmetic: Arithmetic, left: Unpacked, right: Unpacked): Result {
  const kinds = [left.kind, right.kind];
  const negative = left.negative !== right.negative;
  return decided(
    arithmetic,
    { operands: [left, right], invalid: kinds.includes('infinity') && kinds.includes('zero') },
    () =>
      kinds.includes('infinity')
        ? infinity(negative)
        : rounded(arithmetic, {
            negative,
            significand: left.significand * right.significand,
            exponent: left.exponent + right.exponent,
          }),
  );
}

export function divide(arithmetic: Arithmetic, over: Unpacked, under: Unpacked): Result {
  const negative = over.negative !== under.negative;
  return decided(
    arithmetic,
    {
      operands: [over, under],
      invalid: over.kind === under.kind && (over.kind === 'infinity' || over.kind === 'zero'),
      dividesByZero: under.kind === 'zero' && over.kind === 'finite' ? { negative } : undefined,
    },
    () => {
      if (over.kind === 'infinity') return infinity(negative);
      if (under.kind === 'infinity' || over.kind === 'zero') return zero(negative);
      return rounded(arithmetic, quotient(negative, over, under));
    },
  );
}

/** The quotient of two magnitudes that are not 0, with a last bit that stands for the remainder. */
function quotient(negative: boolean, over: Omit<Exact, 'negative'>, under: Omit<Exact, 'negative'>): Exact {
  const shift = Math.max(QUOTIENT_BITS + bitLength(under.significand) - bitLength(over.significand), 0);
  const numerator = over.significand << BigInt(shift);
  const whole = numerator / under.significand;
  const rest = whole * under.significand === numerator ? 0n : 1n;
  return { negative, significand: (whole << 1n) | rest, exponent: over.exponent - under.exponent - shift - 1 };
}

export function squareRoot(arithmetic: Arithmetic, operand: Unpacked): Result {
  return decided(arithmetic, { operands: [operand], invalid: operand.negative && operand.kind !== 'zero' }, () => {
    if (operand.kind !== 'finite') return operand.bits;
    // Twice the exponent of the root must be that of the radicand.
    const shift = 2 * QUOTIENT_BITS + (Math.abs(operand.exponent) % 2);
    const radicand = operand.significand << BigInt(shift);
    const root = integerRoot(radicand);
    const rest = root * root === radicand ? 0n : 1n;
    return rounded(arithmetic, {
      negative: false,
      significand: (root << 1n) | rest,
      exponent: (operand.exponent - shift) / 2 - 1,
    });
  });
}

/** The largest integer whose square is not above the value (Newton's iteration from above). */
export function integerRoot(value: bigint): bigint {
  let root = 1n << BigInt(Math.ceil(bitLength(value) / 2));
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
