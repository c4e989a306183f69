// SDM, "Bit Manipulation Instructions 1" and "2": three-operand arithmetic on general registers. PDEP, PEXT and CRC32
// are in bit-deposit.ts, as functions. Flags that the manual leaves undefined are as a Zen 5 has them (test/conformance/vectors).
import {
  and,
  constant,
  evenParity,
  isZero,
  lessUnsigned,
  mul,
  mulHighUnsigned,
  neg,
  not,
  ror,
  sar,
  setFlags,
  shl,
  shr,
  signBit,
  sub,
  write,
  xor,
  zeroExtend,
} from '../expression/build.js';
import type { Expression, SetFlags } from '../expression/nodes.js';
import { type SdmTitle, sdm } from '../manual/sdm.js';
import { defineInstruction, type ExpressionInstruction } from './define.js';
import { dataRegister, isNotZero, like, widthOf } from './implicit-operands.js';

const CLEAR = constant(1, 0n);

/** What the group's instructions take from their result; AF and PF are undefined in the manual. */
function flagsOf(result: Expression): SetFlags['flags'] {
  return { OF: CLEAR, SF: signBit(result), ZF: isZero(result), AF: CLEAR, PF: evenParity(result) };
}

export const ANDN = defineInstruction({
  mnemonic: 'ANDN',
  manual: sdm('ANDN—Logical AND NOT'),
  effect: ({ dst, src, third }) => {
    const result = and(not(src), third);
    return [write(dst, result), setFlags({ ...flagsOf(result), CF: CLEAR })];
  },
});

/** Ones below a bit position, all ones from the width on: the mask of BEXTR and BZHI. */
const onesBelow = (position: Expression): Expression => not(shl(like(position, -1n), position));
const byteOf = (value: Expression, index: number): Expression =>
  and(shr(value, like(value, BigInt(8 * index))), like(value, 0xffn));

export const BEXTR = defineInstruction({
  mnemonic: 'BEXTR',
  manual: sdm('BEXTR—Bit Field Extract'),
  effect: ({ dst, src, third }) => {
    const result = and(shr(src, byteOf(third, 0)), onesBelow(byteOf(third, 1)));
    return [write(dst, result), setFlags({ ...flagsOf(result), SF: CLEAR, AF: not(CLEAR), CF: CLEAR })];
  },
});

export const BZHI = defineInstruction({
  mnemonic: 'BZHI',
  manual: sdm('BZHI—Zero High Bits Starting with Specified Bit Position'),
  effect: ({ dst, src, third }) => {
    const position = byteOf(third, 0);
    const result = and(src, onesBelow(position));
    const beyond = not(lessUnsigned(position, like(position, BigInt(dst.width))));
    return [write(dst, result), setFlags({ ...flagsOf(result), CF: beyond })];
  },
});

/** BLSI, BLSMSK and BLSR: each combines the source with its neighbour, and CF tells whether the source is 0. */
function lowestSetBit(
  mnemonic: string,
  title: SdmTitle,
  result: (value: Expression) => Expression,
  carry: (value: Expression) => Expression,
): ExpressionInstruction {
  return defineInstruction({
    mnemonic,
    manual: sdm(title),
    effect: ({ dst, src }) => {
      const value = result(src);
      return [write(dst, value), setFlags({ ...flagsOf(value), CF: carry(src) })];
    },
  });
}

const lessOne = (value: Expression): Expression => sub(value, like(value, 1n));

export const BLSI = lowestSetBit(
  'BLSI',
  'BLSI—Extract Lowest Set Isolated Bit',
  (value) => and(neg(value), value),
  isNotZero,
);
export const BLSMSK = lowestSetBit(
  'BLSMSK',
  'BLSMSK—Get Mask Up to Lowest Set Bit',
  (value) => xor(lessOne(value), value),
  isZero,
);
export const BLSR = lowestSetBit('BLSR', 'BLSR—Reset Lowest Set Bit', (value) => and(lessOne(value), value), isZero);

export const MULX = defineInstruction({
  mnemonic: 'MULX',
  manual: sdm('MULX—Unsigned Multiply Without Affecting Flags'),
  effect: ({ dst, src, third }) => {
    const factor = dataRegister(widthOf(dst));
    // The high half is written last: it stays where both destinations are one register.
    return [write(src, mul(factor, third)), write(dst, mulHighUnsigned(factor, third))];
  },
});

export const RORX = defineInstruction({
  mnemonic: 'RORX',
  manual: sdm('RORX—Rotate Right Logical Without Affecting Flags'),
  effect: ({ dst, src, third }) => [write(dst, ror(src, zeroExtend(third, widthOf(dst))))],
});

export const FLAGLESS_SHIFTS = (
  [
    ['SARX', sar],
    ['SHLX', shl],
    ['SHRX', shr],
  ] as const
).map(([mnemonic, shift]) =>
  defineInstruction({
    mnemonic,
    manual: sdm('SARX/SHLX/SHRX—Shift Without Affecting Flags'),
    effect: ({ dst, src, third }) => [write(dst, shift(src, and(third, like(third, BigInt(dst.width - 1)))))],
  }),
);
