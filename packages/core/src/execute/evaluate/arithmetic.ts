// Addition, subtraction and logic together with the flags that they leave pending: what most executed instructions do.
import type { ArithmeticFlags, BinaryOperator, Expression, FlagRule, Width } from '../../expression/nodes.js';
import { PENDING_RULE, recordFlags, recordLogic } from './flags.js';
import { high, low, maskOf, put, putWide, type Source, type Step, spareBits } from './source.js';
import { borrowFrom, carryInto } from './wide-operators.js';

/** What a closure needs. */
interface Arithmetic {
  readonly words: Int32Array;
  /** Of the pending record. */
  readonly rule: number;
  readonly left: Source;
  readonly right: Source;
  /** A slot; one that nobody reads for CMP and TEST. */
  readonly to: number;
  readonly mask: number;
  readonly spare: number;
}

type ArithmeticOperator = 'add' | 'sub' | 'and' | 'or' | 'xor';
type Table = Readonly<Record<ArithmeticOperator, (step: Arithmetic) => Step>>;

/** An operation whose result and flags come from one closure. */
export interface ArithmeticShape {
  readonly operator: ArithmeticOperator;
  readonly rule: FlagRule;
  readonly left: Expression;
  readonly right: Expression;
  readonly width: Width;
}

const LOGICAL: ReadonlySet<BinaryOperator> = new Set(['and', 'or', 'xor']);

/** The operation, if the flags are those of the operator that gives the result. */
export function arithmeticShape({ rule, left, right, result }: ArithmeticFlags): ArithmeticShape | undefined {
  if (result.kind !== 'binary' || !isSame(result.left, left) || !isSame(result.right, right)) return undefined;
  const { operator, width } = result;
  if (!isArithmetic(operator) || LOGICAL.has(operator) !== (rule === 'logic')) return undefined;
  return { operator, rule, left, right, width };
}

function isArithmetic(operator: BinaryOperator): operator is ArithmeticOperator {
  return operator in NARROW;
}

function isSame(left: Expression, right: Expression): boolean {
  return left === right || (left.kind === 'constant' && right.kind === 'constant' && left.value === right.value);
}

/** The closure: the result goes to a slot, the flags stay pending. */
export function arithmeticStep(
  words: Int32Array,
  { operator, rule, width }: ArithmeticShape,
  left: Source,
  right: Source,
  to: number,
): Step {
  const step = { words, rule: PENDING_RULE[rule], left, right, to, mask: maskOf(width), spare: spareBits(width) };
  return (width === 64 ? WIDE : NARROW)[operator](step);
}

function finish({ words, rule, to, spare }: Arithmetic, left: number, right: number, result: number): void {
  recordFlags(words, rule, left, left << spare, right, right << spare, result, result << spare);
  put(words, to, result);
}

function finishLogic({ words, to, spare }: Arithmetic, result: number): void {
  recordLogic(words, result, result << spare);
  put(words, to, result);
}

/** Operands of up to 32 bits. */
const NARROW: Table = {
  add: (step) => () => {
    const left = low(step.words, step.left);
    const right = low(step.words, step.right);
    finish(step, left, right, (left + right) & step.mask);
  },
  sub: (step) => () => {
    const left = low(step.words, step.left);
    const right = low(step.words, step.right);
    finish(step, left, right, (left - right) & step.mask);
  },
  and: (step) => () => finishLogic(step, low(step.words, step.left) & low(step.words, step.right)),
  or: (step) => () => finishLogic(step, low(step.words, step.left) | low(step.words, step.right)),
  xor: (step) => () => finishLogic(step, low(step.words, step.left) ^ low(step.words, step.right)),
};

function finishWide(
  { words, rule, to }: Arithmetic,
  left: number,
  leftHigh: number,
  right: number,
  rightHigh: number,
  result: number,
  resultHigh: number,
): void {
  recordFlags(words, rule, left, leftHigh, right, rightHigh, result, resultHigh);
  putWide(words, to, result, resultHigh);
}

function finishWideLogic({ words, to }: Arithmetic, result: number, resultHigh: number): void {
  recordLogic(words, result, resultHigh);
  putWide(words, to, result, resultHigh);
}

/** Operands of 64 bits. */
const WIDE: Table = {
  add: (step) => () => {
    const left = low(step.words, step.left);
    const leftHigh = high(step.words, step.left);
    const right = low(step.words, step.right);
    const rightHigh = high(step.words, step.right);
    const sum = (left + right) | 0;
    finishWide(step, left, leftHigh, right, rightHigh, sum, (leftHigh + rightHigh + carryInto(left, sum)) | 0);
  },
  sub: (step) => () => {
    const left = low(step.words, step.left);
    const leftHigh = high(step.words, step.left);
    const right = low(step.words, step.right);
    const rightHigh = high(step.words, step.right);
    const resultHigh = (leftHigh - rightHigh - borrowFrom(left, right)) | 0;
    finishWide(step, left, leftHigh, right, rightHigh, (left - right) | 0, resultHigh);
  },
  and: (step) => () => {
    const result = low(step.words, step.left) & low(step.words, step.right);
    finishWideLogic(step, result, high(step.words, step.left) & high(step.words, step.right));
  },
  or: (step) => () => {
    const result = low(step.words, step.left) | low(step.words, step.right);
    finishWideLogic(step, result, high(step.words, step.left) | high(step.words, step.right));
  },
  xor: (step) => () => {
    const result = low(step.words, step.left) ^ low(step.words, step.right);
    finishWideLogic(step, result, high(step.words, step.left) ^ high(step.words, step.right));
  },
};
