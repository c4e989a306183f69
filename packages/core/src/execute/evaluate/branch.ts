// Near branches: RIP, and the check of the address that goes there (SDM, "Canonical Checking").
import type { ConditionCode, Expression, Jump } from '../../expression/nodes.js';
import { GP, raise } from '../../interrupt/exceptions.js';
import { slotOf } from '../../register/register-file.js';
import type { EvaluationContext } from './context.js';
import { carry, less, overflow, parity, sign, zero } from './flags.js';
import { halves, high, isConstantSource, low, putWide, type Source, type Step } from './source.js';

/** RIP in the register window. */
export const RIP_WORD = slotOf('RIP') * 2;

/** Where a branch goes whose target is known when it is decoded. */
interface Targets {
  readonly takenLow: number;
  readonly takenHigh: number;
  readonly nextLow: number;
  readonly nextHigh: number;
}

function go(words: Int32Array, taken: number, targets: Targets): void {
  if (taken !== 0) putWide(words, RIP_WORD, targets.takenLow, targets.takenHigh);
  else putWide(words, RIP_WORD, targets.nextLow, targets.nextHigh);
}

const BRANCHES: Readonly<Record<ConditionCode, (words: Int32Array, targets: Targets) => Step>> = {
  O: (words, targets) => () => go(words, overflow(words), targets),
  NO: (words, targets) => () => go(words, 1 ^ overflow(words), targets),
  B: (words, targets) => () => go(words, carry(words), targets),
  AE: (words, targets) => () => go(words, 1 ^ carry(words), targets),
  E: (words, targets) => () => go(words, zero(words), targets),
  NE: (words, targets) => () => go(words, 1 ^ zero(words), targets),
  BE: (words, targets) => () => go(words, carry(words) | zero(words), targets),
  A: (words, targets) => () => go(words, 1 ^ (carry(words) | zero(words)), targets),
  S: (words, targets) => () => go(words, sign(words), targets),
  NS: (words, targets) => () => go(words, 1 ^ sign(words), targets),
  P: (words, targets) => () => go(words, parity(words), targets),
  NP: (words, targets) => () => go(words, 1 ^ parity(words), targets),
  L: (words, targets) => () => go(words, less(words), targets),
  GE: (words, targets) => () => go(words, 1 ^ less(words), targets),
  LE: (words, targets) => () => go(words, less(words) | zero(words), targets),
  G: (words, targets) => () => go(words, 1 ^ (less(words) | zero(words)), targets),
};

/** A target in halves, if it is known and canonical. */
export function directTarget(
  target: Expression,
  context: EvaluationContext,
): readonly [low: number, high: number] | undefined {
  if (target.kind !== 'constant') return undefined;
  const [targetLow, targetHigh] = halves(target.value);
  return isCanonical(targetHigh, context) ? [targetLow, targetHigh] : undefined;
}

/** JMP and Jcc to a target that is known and canonical, as one closure. */
export function directBranch({ target, when }: Jump, context: EvaluationContext): Step | undefined {
  const known = directTarget(target, context);
  if (known === undefined) return undefined;
  const { words, nextLow, nextHigh } = context;
  const [takenLow, takenHigh] = known;
  if (when === undefined) return () => putWide(words, RIP_WORD, takenLow, takenHigh);
  return when.kind === 'condition' ? BRANCHES[when.code](words, { takenLow, takenHigh, nextLow, nextHigh }) : undefined;
}

/** What a condition asks to be other than 0: the value itself in `not(isZero(value))`, which saves two steps. */
export function nonZero(condition: Expression): Expression {
  if (condition.kind !== 'unary' || condition.operator !== 'not') return condition;
  const { operand } = condition;
  const isZeroTest = operand.kind === 'compare' && operand.operator === 'equal' && operand.right.kind === 'constant';
  return isZeroTest && operand.right.value === 0n ? operand.left : condition;
}

/** Sets RIP to the next instruction. */
export function branchToNext({ words, nextLow, nextHigh }: EvaluationContext): Step {
  return () => putWide(words, RIP_WORD, nextLow, nextHigh);
}

/** Sets RIP to the target if `when` is not 0, else to the next instruction. */
export function branch({ words, nextLow, nextHigh }: EvaluationContext, target: Source, when: Source): Step {
  return () => {
    if ((low(words, when) | high(words, when)) !== 0) putWide(words, RIP_WORD, low(words, target), high(words, target));
    else putWide(words, RIP_WORD, nextLow, nextHigh);
  };
}

function isCanonical(targetHigh: number, { mode64, linearBits }: EvaluationContext): boolean {
  const upper = targetHigh >> (linearBits - 33);
  return !mode64 || upper === 0 || upper === -1;
}

/** Raises #GP(0) for a branch that is taken to an address that is not canonical; nothing where that cannot be. */
export function targetChecks(context: EvaluationContext, target: Source, when: Source): readonly Step[] {
  const { words, mode64, linearBits } = context;
  if (!mode64 || (isConstantSource(target) && isCanonical(target.high, context))) return [];
  const shift = linearBits - 33;
  return [
    () => {
      const upper = high(words, target) >> shift;
      if (upper !== 0 && upper !== -1 && (low(words, when) | high(words, when)) !== 0)
        raise(GP(0), 'core.branch.canonical');
    },
  ];
}
