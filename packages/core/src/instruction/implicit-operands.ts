// The registers and stack slots that instructions use without an operand that names them, and values derived from
// operands in more than one of the SDM's groups.
import {
  add,
  and,
  constant,
  general,
  isZero,
  memory,
  not,
  or,
  select,
  shl,
  shr,
  signBit,
  sub,
  truncate,
  write,
  zeroExtend,
} from '../expression/build.js';
import type { Expression, MemoryPlace, RegisterPlace, Write } from '../expression/nodes.js';
import type { EffectOperands } from './define.js';

/** A width that operands of general-purpose instructions have. */
export type OperandWidth = 8 | 16 | 32 | 64;

/** AL, AX, EAX or RAX; and so on. */
export const accumulator = (width: OperandWidth): RegisterPlace => general(0, width);
export const counter = (width: OperandWidth): RegisterPlace => general(1, width);
export const dataRegister = (width: OperandWidth): RegisterPlace => general(2, width);
export const baseRegister = (width: OperandWidth): RegisterPlace => general(3, width);
export const stackPointer = (width: 16 | 32 | 64): RegisterPlace => general(4, width);
export const basePointer = (width: 16 | 32 | 64): RegisterPlace => general(5, width);
/** AH, which is neither the low part of a register nor reachable beside a REX prefix. */
export const AH: RegisterPlace = { kind: 'register', width: 8, index: 0, high: true };

/** The operand's width; conditions and vectors are never operands of what asks. */
export function widthOf({ width }: Expression): OperandWidth {
  return width === 1 || width === 128 ? 8 : width;
}

/** `value` as a constant of the operand's width. */
export const like = (operand: Expression, value: bigint): Expression => constant(operand.width, value);
/** A condition as 0 or 1 of the operand's width. */
export const asNumber = (condition: Expression, operand: Expression): Expression =>
  zeroExtend(condition, operand.width);
export const isNotZero = (value: Expression): Expression => not(isZero(value));

/** Two halves as one value of twice the width, up to 64 bits. */
export function concatenate(high: Expression, low: Expression): Expression {
  const width = (low.width * 2) as 16 | 32 | 64;
  return or(shl(zeroExtend(high, width), constant(width, BigInt(low.width))), zeroExtend(low, width));
}

/** The upper half of a value. */
export function upperHalf(value: Expression): Expression {
  return truncate(shr(value, like(value, BigInt(value.width / 2))), (value.width / 2) as OperandWidth);
}

/** The carry out of the most significant bit of `left + right + carry`: what ADCX and ADOX write. */
export function carryOut(left: Expression, right: Expression, sum: Expression): Expression {
  return signBit(or(and(left, right), and(or(left, right), not(sum))));
}

/**
 * A write that happens where the condition holds and else leaves the destination exactly as it is. A 32-bit register
 * that is not written keeps bits 63:32, which a write of its own value would clear: so it is chosen as a whole. Memory
 * is written with its own value, which asks for the permission to write as processors do.
 */
export function writeIf(condition: Expression, place: Expression, value: Expression): Write {
  if (place.kind !== 'register' || place.width !== 32) return write(place, select(condition, value, place));
  const whole = general(place.index, 64);
  return write(whole, select(condition, zeroExtend(value, 64), whole));
}

/** The width of a stack operation: in 64-bit mode pushes, pops and near branches are 64 bits, or 16 with a 66H prefix. */
export function stackOperandWidth({ stackWidth, operandWidth }: EffectOperands): 16 | 32 | 64 {
  if (stackWidth !== 64 || operandWidth === 16) return operandWidth === 64 ? 64 : operandWidth;
  return 64;
}

/** The width of near branches and returns: always 64 bits in 64-bit mode, where Intel processors ignore a 66H prefix. */
export function branchWidth({ stackWidth, operandWidth }: EffectOperands): 16 | 32 | 64 {
  return stackWidth === 64 ? 64 : operandWidth;
}

/** Memory on the stack at a stack pointer that is `stackWidth` wide. */
export function stackSlot(width: MemoryPlace['width'], pointer: Expression): MemoryPlace {
  return memory(width, 'SS', zeroExtend(pointer, 64));
}

/** What pushing a value does: the store comes first, so that a fault leaves the stack pointer. */
export function push({ stackWidth }: EffectOperands, value: Expression): readonly [Write, Write] {
  const top = sub(stackPointer(stackWidth), constant(stackWidth, BigInt(value.width / 8)));
  return [write(stackSlot(widthOf(value), top), value), write(stackPointer(stackWidth), top)];
}

/** What popping gives: the value and the stack pointer after it. `release` more bytes go, as RET imm16 does. */
export function pop(
  { stackWidth }: EffectOperands,
  width: 16 | 32 | 64,
  release?: Expression,
): { value: MemoryPlace; above: Expression } {
  const above = add(stackPointer(stackWidth), constant(stackWidth, BigInt(width / 8)));
  const value = stackSlot(width, stackPointer(stackWidth));
  return { value, above: release === undefined ? above : add(above, zeroExtend(release, stackWidth)) };
}
