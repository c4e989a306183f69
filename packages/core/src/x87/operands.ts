// SDM, "x87 FPU Floating-Point Exception Conditions" and "Exception Priority": what the operands decide before anything is
// computed. An operation without a result (undefined) met an unmasked exception and leaves its destination alone.
import { type Extended, INDEFINITE, infinity, isNan, quieted, type Unpacked } from './extended.js';
import { type Arithmetic, EXCEPTION } from './status.js';

export type Result = Extended | undefined;

/** The answer to an invalid operation. */
function invalid(arithmetic: Arithmetic): Result {
  return arithmetic.raise(EXCEPTION.IE) ? INDEFINITE : undefined;
}

const FRACTION = (1n << 62n) - 1n;

/** SDM, "Rules for Handling NaNs": of two, the one with the larger significand; of an SNaN and a QNaN, the QNaN. */
function chosen(one: Unpacked, other: Unpacked): Unpacked {
  if (one.kind !== other.kind) {
    if (!isNan(other)) return one;
    if (!isNan(one)) return other;
    return one.kind === 'quiet NaN' ? one : other;
  }
  const [left, right] = [one.significand & FRACTION, other.significand & FRACTION];
  if (left === right) return one.negative ? other : one; // of equal ones the positive
  return left > right ? one : other;
}

/** The NaN that operands with a NaN among them lead to. */
function propagated(arithmetic: Arithmetic, operands: readonly Unpacked[]): Result {
  const signals = operands.some(({ kind }) => kind === 'signaling NaN');
  if (signals && !arithmetic.raise(EXCEPTION.IE)) return undefined;
  return quieted(operands.reduce(chosen).bits);
}

/** What an operation finds wrong with its operands, in the order of the priorities. */
export interface OperandRules {
  readonly operands: readonly Unpacked[];
  /** The combination has no value: infinity less infinity. */
  readonly invalid?: boolean;
  /** A finite value is divided by zero; the sign is that of the infinity which answers it. */
  readonly dividesByZero?: { readonly negative: boolean } | undefined;
}

/** The result that the operands decide, or what `compute` makes of operands that are numbers. */
export function decided(arithmetic: Arithmetic, rules: OperandRules, compute: () => Result): Result {
  const { operands } = rules;
  if (operands.some(({ kind }) => kind === 'unsupported')) return invalid(arithmetic);
  if (operands.some(isNan)) return propagated(arithmetic, operands);
  if (rules.invalid === true) return invalid(arithmetic);
  if (rules.dividesByZero !== undefined)
    return arithmetic.raise(EXCEPTION.ZE) ? infinity(rules.dividesByZero.negative) : undefined;
  if (operands.some(({ denormal }) => denormal) && !arithmetic.raise(EXCEPTION.DE)) return undefined;
  return compute();
}
