// SDM, "Control Transfer Instructions": near branches, calls and returns, and loops. Far transfers are in
// far-transfer.ts, software interrupts in software-interrupt.ts, IRET in interrupt-return.ts.
//
// A jump comes first in an effect: its target is checked before anything is written, so that a branch to a non-canonical
// address leaves the stack as it was.
import { and, condition, flag, isZero, jump, not, sub, truncate, write, zeroExtend } from '../expression/build.js';
import type { Expression } from '../expression/nodes.js';
import { sdm } from '../manual/sdm.js';
import { CONDITIONS } from './data-transfer.js';
import { defineInstruction } from './define.js';
import { branchWidth, counter, isNotZero, like, pop, push, stackPointer } from './implicit-operands.js';

/** Outside 64-bit mode a target in a register or in memory is 16 or 32 bits wide. */
const target = (operand: Expression): Expression => zeroExtend(operand, 64);

export const JMP = defineInstruction({
  mnemonic: 'JMP',
  manual: sdm('JMP—Jump'),
  effect: ({ dst }) => [jump(target(dst))],
});

export const JCC = CONDITIONS.map((code) =>
  defineInstruction({
    mnemonic: `J${code}`,
    manual: sdm('Jcc—Jump if Condition Is Met'),
    effect: ({ dst }) => [jump(target(dst), condition(code))],
  }),
);

/** JCXZ, JECXZ and JRCXZ test the counter of the address size. */
export const JUMPS_ON_COUNTER = (
  [
    ['JCXZ', 16],
    ['JECXZ', 32],
    ['JRCXZ', 64],
  ] as const
).map(([mnemonic, width]) =>
  defineInstruction({
    mnemonic,
    manual: sdm('Jcc—Jump if Condition Is Met'),
    effect: ({ dst }) => [jump(target(dst), isZero(counter(width)))],
  }),
);

const CONTINUES = { LOOP: undefined, LOOPE: flag('ZF'), LOOPNE: not(flag('ZF')) } as const;

/** The counter of the address size is decremented without a change of flags. */
export const LOOPS = (['LOOP', 'LOOPE', 'LOOPNE'] as const).map((mnemonic) =>
  defineInstruction({
    mnemonic,
    manual: sdm('LOOP/LOOPcc—Loop According to ECX Counter'),
    effect: ({ dst, addressWidth }) => {
      const count = counter(addressWidth);
      const left = sub(count, like(count, 1n));
      const also = CONTINUES[mnemonic];
      return [jump(target(dst), also === undefined ? isNotZero(left) : and(isNotZero(left), also)), write(count, left)];
    },
  }),
);

export const CALL = defineInstruction({
  mnemonic: 'CALL',
  manual: sdm('CALL—Call Procedure'),
  effect: (operands) => [jump(target(operands.dst)), ...push(operands, truncate(operands.next, branchWidth(operands)))],
});

export const RET = defineInstruction({
  mnemonic: 'RET',
  manual: sdm('RET—Return From Procedure'),
  // RET imm16 releases that many bytes of parameters more.
  effect: (operands) => {
    const released = operands.operandCount === 1 ? operands.dst : undefined;
    const { value, above } = pop(operands, branchWidth(operands), released);
    return [jump(target(value)), write(stackPointer(operands.stackWidth), above)];
  },
});
