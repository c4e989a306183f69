// SDM, "FPREM—Partial Remainder" and "FPREM1—Partial Remainder": exact, and partial while the exponents are 64 or more
// apart. Then one step takes off 32 to 63 bits of the quotient, how many the manual leaves to the implementation.
import { bitLength, type Unpacked } from './extended.js';
import { decided, type Result } from './operands.js';
import { rounded } from './rounding.js';
import { type Arithmetic, STATUS } from './status.js';

/** The remainder, and C3 to C0: C2 for an incomplete reduction, otherwise the three low bits of the quotient. */
export interface Remainder {
  readonly result: Result;
  /** Undefined if the operands did not let themselves be divided. */
  readonly conditions: number | undefined;
}

const WHOLE = 64;

/** `nearest`: the quotient is rounded to nearest (FPREM1) and not chopped (FPREM). */
export function remainder(arithmetic: Arithmetic, over: Unpacked, under: Unpacked, nearest: boolean): Remainder {
  let conditions: number | undefined;
  const result = decided(
    arithmetic,
    { operands: [over, under], invalid: over.kind === 'infinity' || under.kind === 'zero' },
    () => {
      conditions = 0;
      if (over.kind === 'zero') return over.bits;
      if (under.kind === 'infinity') return rounded(arithmetic, over, WHOLE);
      const step = reduced(over, under, nearest);
      conditions = step.conditions;
      return rounded(arithmetic, { ...step, negative: over.negative !== step.flipped }, WHOLE);
    },
  );
  return { result, conditions };
}

interface Reduced {
  readonly significand: bigint;
  readonly exponent: number;
  readonly conditions: number;
  /** The nearest quotient was above the exact one. */
  readonly flipped: boolean;
}

const leading = ({ significand, exponent }: Unpacked): number => bitLength(significand) + exponent;

function reduced(over: Unpacked, under: Unpacked, nearest: boolean): Reduced {
  const distance = leading(over) - leading(under);
  if (distance < WHOLE) return complete(over, under, nearest);
  // The divisor is raised so that the quotient has as many bits as the step takes off.
  const bits = (distance & 0x1f) | 0x20;
  const raised = under.exponent + distance - bits;
  const exponent = Math.min(over.exponent, raised);
  const dividend = over.significand << BigInt(over.exponent - exponent);
  const divisor = under.significand << BigInt(raised - exponent);
  return { significand: dividend % divisor, exponent, conditions: STATUS.C2, flipped: false };
}

function complete(over: Unpacked, under: Unpacked, nearest: boolean): Reduced {
  const exponent = Math.min(over.exponent, under.exponent);
  const dividend = over.significand << BigInt(over.exponent - exponent);
  const divisor = under.significand << BigInt(under.exponent - exponent);
  const [quotient, rest] = [dividend / divisor, dividend % divisor];
  const twice = rest * 2n;
  if (nearest && (twice > divisor || (twice === divisor && (quotient & 1n) === 1n)))
    return { significand: divisor - rest, exponent, conditions: quotientBits(quotient + 1n), flipped: true };
  return { significand: rest, exponent, conditions: quotientBits(quotient), flipped: false };
}

/** C0, C3 and C1 have bits 2, 1 and 0 of the quotient. */
function quotientBits(quotient: bigint): number {
  const low = Number(quotient & 7n);
  return (low & 4 ? STATUS.C0 : 0) | (low & 2 ? STATUS.C3 : 0) | (low & 1 ? STATUS.C1 : 0);
}
