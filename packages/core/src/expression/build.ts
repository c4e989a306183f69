// The builders of expressions: ordinary functions that check widths as they build, so that a mistaken declaration fails
// when its first instruction is decoded and not with a wrong bit later.
import { assert } from '../error.js';
import type { Raise } from '../interrupt/exceptions.js';
import type {
  ArithmeticFlags,
  BinaryOperator,
  Comparison,
  ConditionCode,
  Divide,
  EndIf,
  Expression,
  FaultIf,
  FlagName,
  FlagRule,
  Jump,
  MemoryPlace,
  Place,
  RegisterPlace,
  SegmentName,
  SetFlags,
  UnaryOperator,
  Width,
  Write,
} from './nodes.js';

/** A constant; bits beyond the width are dropped, so that -1n is all ones. */
export function constant(width: Width, value: bigint): Expression {
  return { kind: 'constant', width, value: BigInt.asUintN(width, value) };
}

/** A general register by index (0 = RAX … 15 = R15), or its low part by width. */
export function general(index: number, width: RegisterPlace['width']): RegisterPlace {
  return { kind: 'register', width, index, high: false };
}

/** Memory of `width` bits at an offset in a segment. */
export function memory(width: MemoryPlace['width'], segment: SegmentName, offset: Expression): MemoryPlace {
  assert(offset.width === 64, 'an offset is 64 bits wide', { width: offset.width });
  return { kind: 'memory', width, segment, offset };
}

function binary(operator: BinaryOperator, left: Expression, right: Expression): Expression {
  assert(left.width === right.width, `${operator} of unequal widths`, { left: left.width, right: right.width });
  return { kind: 'binary', width: left.width, operator, left, right };
}

export const add = (left: Expression, right: Expression): Expression => binary('add', left, right);
export const sub = (left: Expression, right: Expression): Expression => binary('sub', left, right);
export const and = (left: Expression, right: Expression): Expression => binary('and', left, right);
export const or = (left: Expression, right: Expression): Expression => binary('or', left, right);
export const xor = (left: Expression, right: Expression): Expression => binary('xor', left, right);
/** The low half of a product. */
export const mul = (left: Expression, right: Expression): Expression => binary('mul', left, right);
export const mulHighUnsigned = (left: Expression, right: Expression): Expression =>
  binary('mulHighUnsigned', left, right);
export const mulHighSigned = (left: Expression, right: Expression): Expression => binary('mulHighSigned', left, right);
/** Shifts take counts of 0 to width: a count of width or more gives 0 (or all sign bits for sar). */
export const shl = (value: Expression, count: Expression): Expression => binary('shl', value, count);
export const shr = (value: Expression, count: Expression): Expression => binary('shr', value, count);
export const sar = (value: Expression, count: Expression): Expression => binary('sar', value, count);
/** Rotates take the count modulo the width. */
export const rol = (value: Expression, count: Expression): Expression => binary('rol', value, count);
export const ror = (value: Expression, count: Expression): Expression => binary('ror', value, count);

function compare(operator: Comparison, left: Expression, right: Expression): Expression {
  assert(left.width === right.width, `${operator} of unequal widths`, { left: left.width, right: right.width });
  return { kind: 'compare', width: 1, operator, left, right };
}

export const equal = (left: Expression, right: Expression): Expression => compare('equal', left, right);
export const lessUnsigned = (left: Expression, right: Expression): Expression => compare('lessUnsigned', left, right);
export const lessSigned = (left: Expression, right: Expression): Expression => compare('lessSigned', left, right);

function unary(operator: UnaryOperator, operand: Expression): Expression {
  return { kind: 'unary', width: operand.width, operator, operand };
}

export const not = (operand: Expression): Expression => unary('not', operand);
export const neg = (operand: Expression): Expression => unary('neg', operand);
export const byteSwap = (operand: Expression): Expression => unary('byteSwap', operand);
export const popCount = (operand: Expression): Expression => unary('popCount', operand);
/** Both give the width for an operand of 0. */
export const leadingZeros = (operand: Expression): Expression => unary('leadingZeros', operand);
export const trailingZeros = (operand: Expression): Expression => unary('trailingZeros', operand);

/** One of two values of equal width; both are evaluated, as CMOVcc does. */
export function select(condition: Expression, whenTrue: Expression, whenFalse: Expression): Expression {
  assert(condition.width === 1, 'a condition is 1 bit wide', { width: condition.width });
  assert(whenTrue.width === whenFalse.width, 'select of unequal widths');
  return { kind: 'select', width: whenTrue.width, condition, whenTrue, whenFalse };
}

/** Wider with zeros, or cut. */
export function zeroExtend(operand: Expression, width: Width): Expression {
  return operand.width === width ? operand : { kind: 'resize', width, signed: false, operand };
}

/** Wider with copies of the sign bit, or cut. */
export function signExtend(operand: Expression, width: Width): Expression {
  return operand.width === width ? operand : { kind: 'resize', width, signed: true, operand };
}

/** The low `width` bits: never wider than the operand. */
export function truncate(operand: Expression, width: Width): Expression {
  assert(width <= operand.width, 'a cut that would widen', { from: operand.width, to: width });
  return zeroExtend(operand, width);
}

/** A status flag, or DF, as a condition. */
export const flag = (name: FlagName): Expression => ({ kind: 'flag', width: 1, flag: name });
/** A condition code over the current flags. */
export const condition = (code: ConditionCode): Expression => ({ kind: 'condition', width: 1, code });

/** Bit `index` of a value as a condition. */
export function bit(value: Expression, index: number): Expression {
  return truncate(index === 0 ? value : shr(value, constant(value.width, BigInt(index))), 1);
}

/** The sign bit. */
export const signBit = (value: Expression): Expression => bit(value, value.width - 1);
/** Whether all bits are 0. */
export const isZero = (value: Expression): Expression => equal(value, constant(value.width, 0n));
/** PF: whether bits 7:0 hold an even number of ones. */
export const evenParity = (value: Expression): Expression => not(bit(popCount(truncate(value, 8)), 0));

/** Quotient or remainder of `high:low / divisor`. */
export function divide(
  part: Divide['part'],
  signed: boolean,
  high: Expression,
  low: Expression,
  divisor: Expression,
): Expression {
  return { kind: 'divide', width: divisor.width, signed, part, high, low, divisor };
}

/** Whether DIV or IDIV completes instead of raising #DE. */
export function divideFits(signed: boolean, high: Expression, low: Expression, divisor: Expression): Expression {
  return { kind: 'divideFits', width: 1, signed, high, low, divisor };
}

const PLACES: ReadonlySet<Expression['kind']> = new Set(['register', 'memory', 'vectorRegister', 'vectorMemory']);

/** A register or memory takes a value of its width. */
export function write(place: Expression, value: Expression): Write {
  assert(PLACES.has(place.kind), 'only a place is written', { kind: place.kind });
  assert(place.width === value.width, 'a write of another width', { place: place.width, value: value.width });
  return { kind: 'write', place: place as Place, value };
}

/** The six status flags from operands and result by one of the manual's rules. */
export function arithmeticFlags(
  rule: FlagRule,
  left: Expression,
  right: Expression,
  result: Expression,
): ArithmeticFlags {
  return { kind: 'arithmeticFlags', rule, left, right, result };
}

/** Single flags, all or none of them depending on `when`. */
export function setFlags(flags: SetFlags['flags'], when?: Expression): SetFlags {
  return when === undefined ? { kind: 'setFlags', flags } : { kind: 'setFlags', flags, when };
}

/** A near branch, conditional if `when` is given. */
export function jump(target: Expression, when?: Expression): Jump {
  return when === undefined ? { kind: 'jump', target } : { kind: 'jump', target, when };
}

/** Completes the instruction before anything else is read. */
export function endIf(test: Expression): EndIf {
  assert(test.width === 1, 'a condition is 1 bit wide', { width: test.width });
  return { kind: 'endIf', condition: test };
}

/** Abandons the instruction before anything is written. */
export function faultIf(test: Expression, raise: Raise, rule: string): FaultIf {
  return { kind: 'faultIf', condition: test, raise, rule };
}
