// SDM, "Data Transfer Instructions" and "Control Transfer Instructions": PUSH, POP and LEAVE. PUSH and POP of segment
// registers are in segment-register.ts, PUSHF and POPF in flag-control.ts, ENTER in stack-frame.ts.
import { add, constant, memory, signExtend, write } from '../expression/build.js';
import type { Expression } from '../expression/nodes.js';
import { sdm } from '../manual/sdm.js';
import { defineInstruction } from './define.js';
import { basePointer, pop, push, stackOperandWidth, stackPointer, stackSlot } from './implicit-operands.js';

export const PUSH = defineInstruction({
  mnemonic: 'PUSH',
  manual: sdm('PUSH—Push Word, Doubleword, or Quadword Onto the Stack'),
  // Immediates are sign-extended to the operand size. PUSH RSP pushes what RSP was before.
  effect: (operands) => push(operands, signExtend(operands.dst, stackOperandWidth(operands))),
});

export const POP = defineInstruction({
  mnemonic: 'POP',
  manual: sdm('POP—Pop a Value From the Stack'),
  effect: (operands) => {
    const { dst, stackWidth } = operands;
    const { value, above } = pop(operands, stackOperandWidth(operands));
    if (dst.kind !== 'memory') return [write(stackPointer(stackWidth), above), write(dst, value)]; // POP RSP keeps what it loads
    const destination = memory(dst.width, dst.segment, withStackPointerAt(dst.offset, BigInt(dst.width / 8)));
    return [write(destination, value), write(stackPointer(stackWidth), above)];
  },
});

/** An address that uses the stack pointer is computed after POP incremented it. */
function withStackPointerAt(address: Expression, increment: bigint): Expression {
  switch (address.kind) {
    case 'register':
      return address.index === 4 ? add(address, constant(address.width, increment)) : address;
    case 'binary':
      return {
        ...address,
        left: withStackPointerAt(address.left, increment),
        right: withStackPointerAt(address.right, increment),
      };
    case 'resize':
      return { ...address, operand: withStackPointerAt(address.operand, increment) };
    default:
      return address; // an effective address is made of registers, constants and their sums
  }
}

export const LEAVE = defineInstruction({
  mnemonic: 'LEAVE',
  manual: sdm('LEAVE—High Level Procedure Exit'),
  effect: (operands) => {
    const { stackWidth } = operands;
    const width = stackOperandWidth(operands);
    const frame = basePointer(stackWidth);
    const above = add(frame, constant(stackWidth, BigInt(width / 8)));
    return [write(stackPointer(stackWidth), above), write(basePointer(width), stackSlot(width, frame))];
  },
});
