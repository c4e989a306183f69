// SDM, "Shift and Rotate Instructions": SHL (SAL), SHR, SAR, ROL, ROR, RCL and RCR. SHLD and SHRD are in
// double-shift.ts. What the manual leaves undefined is as a Zen 5 has it (test/conformance/vectors): shifts set AF, and OF
// follows the formula for a count of 1 at every count.
import {
  bit,
  constant,
  divide,
  flag,
  isZero,
  or,
  rol,
  ror,
  sar,
  select,
  shl,
  shr,
  signBit,
  sub,
  write,
  xor,
} from '../expression/build.js';
import type { Expression } from '../expression/nodes.js';
import { sdm } from '../manual/sdm.js';
import { defineInstruction, type ExpressionInstruction } from './define.js';
import { asNumber, like } from './implicit-operands.js';
import { flagsOfResult, flagsOfShift, maskedCount } from './shift-count.js';

interface Shift {
  readonly result: (value: Expression, count: Expression) => Expression;
  /** The last bit shifted out, for counts from 1. */
  readonly carry: (value: Expression, countLessOne: Expression) => Expression;
  readonly overflow: (result: Expression, carry: Expression) => Expression;
}

function defineShift(mnemonic: string, { result, carry, overflow }: Shift): ExpressionInstruction {
  return defineInstruction({
    mnemonic,
    manual: sdm('SAL/SAR/SHL/SHR—Shift'),
    effect: ({ dst, src }) => {
      const count = maskedCount(src, dst);
      const shifted = result(dst, count);
      const CF = carry(dst, sub(count, like(count, 1n)));
      return [
        write(dst, shifted),
        ...flagsOfShift(count, { CF, OF: overflow(shifted, CF), ...flagsOfResult(shifted) }),
      ];
    },
  });
}

/** The two uppermost bits differ: what a shift or rotate to the right by 1 leaves in OF. */
const topBitsDiffer = (result: Expression): Expression => xor(signBit(result), bit(result, result.width - 2));

/** SAL is another name of SHL, under which some disassemblers list the encoding /6. */
export const LEFT_SHIFTS = ['SHL', 'SAL'].map((mnemonic) =>
  defineShift(mnemonic, {
    result: shl,
    carry: (value, countLessOne) => signBit(shl(value, countLessOne)),
    overflow: (result, carry) => xor(signBit(result), carry),
  }),
);

export const SHR = defineShift('SHR', {
  result: shr,
  carry: (value, countLessOne) => bit(shr(value, countLessOne), 0),
  overflow: topBitsDiffer, // the sign bit of the value shifted by 1
});

export const SAR = defineShift('SAR', {
  result: sar,
  carry: (value, countLessOne) => bit(sar(value, countLessOne), 0),
  overflow: () => constant(1, 0n),
});

interface Rotate {
  /** The result, and CF after it. */
  readonly result: (value: Expression, count: Expression) => Expression;
  readonly carry: (value: Expression, count: Expression, result: Expression) => Expression;
  readonly overflow: (result: Expression, carry: Expression) => Expression;
}

function defineRotate(mnemonic: string, { result, carry, overflow }: Rotate): ExpressionInstruction {
  return defineInstruction({
    mnemonic,
    manual: sdm('RCL/RCR/ROL/ROR—Rotate'),
    effect: ({ dst, src }) => {
      const count = maskedCount(src, dst);
      const rotated = result(dst, count);
      const CF = carry(dst, count, rotated);
      return [write(dst, rotated), ...flagsOfShift(count, { CF, OF: overflow(rotated, CF) })];
    },
  });
}

export const ROL = defineRotate('ROL', {
  result: rol,
  carry: (_value, _count, result) => bit(result, 0),
  overflow: (result, carry) => xor(signBit(result), carry),
});

export const ROR = defineRotate('ROR', {
  result: ror,
  carry: (_value, _count, result) => signBit(result),
  overflow: topBitsDiffer,
});

/** Through the carry flag a byte comes round after 9 and a word after 17, which the masked count may exceed. */
function countThroughCarry(count: Expression): Expression {
  if (count.width > 16) return count;
  const turn = BigInt(count.width + 1);
  if (count.kind === 'constant') return constant(count.width, count.value % turn);
  return divide('remainder', false, like(count, 0n), count, like(count, turn));
}

// Below, a count of 0 shifts the carry by all ones and the value by more than its width, which both give 0.

export const RCL = defineRotate('RCL', {
  result: (value, masked) => {
    const count = countThroughCarry(masked);
    const carryIn = shl(asNumber(flag('CF'), value), sub(count, like(count, 1n)));
    const comesRound = shr(value, sub(like(count, BigInt(value.width + 1)), count));
    return or(or(shl(value, count), carryIn), comesRound);
  },
  carry: (value, masked) => {
    const count = countThroughCarry(masked);
    return select(isZero(count), flag('CF'), bit(shr(value, sub(like(count, BigInt(value.width)), count)), 0));
  },
  overflow: (result, carry) => xor(signBit(result), carry),
});

export const RCR = defineRotate('RCR', {
  result: (value, masked) => {
    const count = countThroughCarry(masked);
    const carryIn = shl(asNumber(flag('CF'), value), sub(like(count, BigInt(value.width)), count));
    const comesRound = shl(value, sub(like(count, BigInt(value.width + 1)), count));
    // The carry belongs to bit `width - count`, which a count of 0 puts outside.
    return or(or(shr(value, count), carryIn), comesRound);
  },
  carry: (value, masked) => {
    const count = countThroughCarry(masked);
    return select(isZero(count), flag('CF'), bit(shr(value, sub(count, like(count, 1n))), 0));
  },
  overflow: topBitsDiffer,
});
