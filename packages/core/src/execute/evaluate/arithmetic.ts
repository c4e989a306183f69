// Addition, subtraction and logic together with the flags that they leave pending: what most executed instructions do.
import type { BinaryOperator } from '../../expression/nodes.js';
import { recordFlags } from './flags.js';
import { high, low, put, putWide, type Source, type Step } from './source.js';
import { borrowFrom, carryInto } from './wide-operators.js';

/** What a closure needs. */
export interface Arithmetic {
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

/** Whether there are closures for it. */
export function isArithmetic(operator: BinaryOperator): operator is ArithmeticOperator {
  return operator in NARROW;
}

function finish({ words, rule, to, spare }: Arithmetic, left: number, right: number, result: number): void {
  recordFlags(words, rule, left, left << spare, right, right << spare, result, result << spare);
  put(words, to, result);
}

/** Operands of up to 32 bits. */
export const NARROW: Table = {
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
  and: (step) => () => {
    const left = low(step.words, step.left);
    const right = low(step.words, step.right);
    finish(step, left, right, left & right);
  },
  or: (step) => () => {
    const left = low(step.words, step.left);
    const right = low(step.words, step.right);
    finish(step, left, right, left | right);
  },
  xor: (step) => () => {
    const left = low(step.words, step.left);
    const right = low(step.words, step.right);
    finish(step, left, right, left ^ right);
  },
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

/** Operands of 64 bits. */
export const WIDE: Table = {
  add: (step) => () => {
    const [left, leftHigh] = [low(step.words, step.left), high(step.words, step.left)];
    const [right, rightHigh] = [low(step.words, step.right), high(step.words, step.right)];
    const sum = (left + right) | 0;
    finishWide(step, left, leftHigh, right, rightHigh, sum, (leftHigh + rightHigh + carryInto(left, sum)) | 0);
  },
  sub: (step) => () => {
    const [left, leftHigh] = [low(step.words, step.left), high(step.words, step.left)];
    const [right, rightHigh] = [low(step.words, step.right), high(step.words, step.right)];
    const resultHigh = (leftHigh - rightHigh - borrowFrom(left, right)) | 0;
    finishWide(step, left, leftHigh, right, rightHigh, (left - right) | 0, resultHigh);
  },
  and: (step) => () => {
    const [left, leftHigh] = [low(step.words, step.left), high(step.words, step.left)];
    const [right, rightHigh] = [low(step.words, step.right), high(step.words, step.right)];
    finishWide(step, left, leftHigh, right, rightHigh, left & right, leftHigh & rightHigh);
  },
  or: (step) => () => {
    const [left, leftHigh] = [low(step.words, step.left), high(step.words, step.left)];
    const [right, rightHigh] = [low(step.words, step.right), high(step.words, step.right)];
    finishWide(step, left, leftHigh, right, rightHigh, left | right, leftHigh | rightHigh);
  },
  xor: (step) => () => {
    const [left, leftHigh] = [low(step.words, step.left), high(step.words, step.left)];
    const [right, rightHigh] = [low(step.words, step.right), high(step.words, step.right)];
    finishWide(step, left, leftHigh, right, rightHigh, left ^ right, leftHigh ^ rightHigh);
  },
};
