// The count of shifts and rotates (SDM, "SAL/SAR/SHL/SHR—Shift"): its low 5 bits, or 6 for 64-bit operands. A count that
// is 0 after masking changes no flag.
import { and, constant, evenParity, isZero, not, setFlags, signBit, zeroExtend } from '../expression/build.js';
import type { Expression, SetFlags } from '../expression/nodes.js';

/** The masked count, as wide as the operand that is shifted. An immediate stays a constant. */
export function maskedCount(count: Expression, operand: Expression): Expression {
  const mask = operand.width === 64 ? 0x3fn : 0x1fn;
  if (count.kind === 'constant') return constant(operand.width, count.value & mask);
  return zeroExtend(and(count, constant(count.width, mask)), operand.width);
}

/** The flags that every shift takes from its result. AF is undefined in the manual; a Zen 5 sets it. */
export function flagsOfResult(result: Expression): SetFlags['flags'] {
  return { SF: signBit(result), ZF: isZero(result), AF: constant(1, 1n), PF: evenParity(result) };
}

/** Flags that are written only if the masked count is not 0. */
export function flagsOfShift(count: Expression, flags: SetFlags['flags']): readonly SetFlags[] {
  if (count.kind !== 'constant') return [setFlags(flags, not(isZero(count)))];
  return count.value === 0n ? [] : [setFlags(flags)];
}
