// SDM, "Bit and Byte Instructions": BT and its kin, the scans, SETcc and TEST, and the counts of bits that came with
// SSE4.2 and BMI1. Flags that the manual leaves undefined are as a Zen 5 has them (test/conformance/vectors).
import {
  add,
  and,
  arithmeticFlags,
  bit,
  condition,
  constant,
  evenParity,
  isZero,
  leadingZeros,
  memory,
  mul,
  not,
  or,
  popCount,
  sar,
  setFlags,
  shl,
  shr,
  signExtend,
  sub,
  trailingZeros,
  truncate,
  write,
  xor,
  zeroExtend,
} from '../expression/build.js';
import type { Expression } from '../expression/nodes.js';
import { type SdmTitle, sdm } from '../manual/sdm.js';
import { CONDITIONS } from './data-transfer.js';
import { defineInstruction, type EffectOperands, type ExpressionInstruction } from './define.js';
import { asNumber, isNotZero, like, widthOf, writeIf } from './implicit-operands.js';

/**
 * What a bit offset selects from. An offset in a register is signed and reaches beyond a memory operand: the operand is
 * the word of its width that holds the bit. An immediate, or a register destination, counts modulo the width.
 */
function bitString({ dst, src, addressWidth }: EffectOperands): Expression {
  if (dst.kind !== 'memory' || src.kind === 'constant') return dst;
  const shift = BigInt(Math.log2(dst.width));
  const words = signExtend(sar(src, like(src, shift)), 64);
  const reached = add(dst.offset, mul(words, constant(64, BigInt(dst.width / 8))));
  return memory(dst.width, dst.segment, zeroExtend(truncate(reached, addressWidth), 64));
}

function bitTest(
  mnemonic: string,
  title: SdmTitle,
  change?: (word: Expression, mask: Expression) => Expression,
): ExpressionInstruction {
  return defineInstruction({
    mnemonic,
    manual: sdm(title),
    lockable: change !== undefined,
    effect: (operands) => {
      const word = bitString(operands);
      const index = and(zeroExtend(operands.src, widthOf(word)), like(word, BigInt(word.width - 1)));
      const flags = setFlags({ CF: bit(shr(word, index), 0) });
      return change === undefined ? [flags] : [write(word, change(word, shl(like(word, 1n), index))), flags];
    },
  });
}

export const BT = bitTest('BT', 'BT—Bit Test');
export const BTS = bitTest('BTS', 'BTS—Bit Test and Set', or);
export const BTR = bitTest('BTR', 'BTR—Bit Test and Reset', (word, mask) => and(word, not(mask)));
export const BTC = bitTest('BTC', 'BTC—Bit Test and Complement', xor);

const CLEAR = constant(1, 0n);

/** A scan of 0 leaves the whole destination, as AMD documents and Intel processors do. */
function bitScan(
  mnemonic: string,
  title: SdmTitle,
  position: (value: Expression) => Expression,
): ExpressionInstruction {
  return defineInstruction({
    mnemonic,
    manual: sdm(title),
    effect: ({ dst, src }) => {
      const found = position(src);
      const PF = or(isZero(src), evenParity(found));
      return [
        writeIf(isNotZero(src), dst, found),
        setFlags({ ZF: isZero(src), OF: CLEAR, SF: CLEAR, AF: CLEAR, CF: CLEAR, PF }),
      ];
    },
  });
}

export const BSF = bitScan('BSF', 'BSF—Bit Scan Forward', trailingZeros);
export const BSR = bitScan('BSR', 'BSR—Bit Scan Reverse', (value) =>
  sub(like(value, BigInt(value.width - 1)), leadingZeros(value)),
);

function countZeros(
  mnemonic: string,
  title: SdmTitle,
  count: (value: Expression) => Expression,
): ExpressionInstruction {
  return defineInstruction({
    mnemonic,
    manual: sdm(title),
    effect: ({ dst, src }) => [
      write(dst, count(src)),
      setFlags({ CF: isZero(src), ZF: isZero(count(src)), SF: CLEAR, AF: CLEAR, PF: CLEAR }),
    ],
  });
}

export const LZCNT = countZeros('LZCNT', 'LZCNT—Count the Number of Leading Zero Bits', leadingZeros);
export const TZCNT = countZeros('TZCNT', 'TZCNT—Count the Number of Trailing Zero Bits', trailingZeros);

export const POPCNT = defineInstruction({
  mnemonic: 'POPCNT',
  manual: sdm('POPCNT—Return the Count of Number of Bits Set to 1'),
  effect: ({ dst, src }) => [
    write(dst, popCount(src)),
    setFlags({ OF: CLEAR, SF: CLEAR, ZF: isZero(src), AF: CLEAR, CF: CLEAR, PF: CLEAR }),
  ],
});

export const SETCC = CONDITIONS.map((code) =>
  defineInstruction({
    mnemonic: `SET${code}`,
    manual: sdm('SETcc—Set Byte on Condition'),
    effect: ({ dst }) => [write(dst, asNumber(condition(code), dst))],
  }),
);

export const TEST = defineInstruction({
  mnemonic: 'TEST',
  manual: sdm('TEST—Logical Compare'),
  effect: ({ dst, src }) => [arithmeticFlags('logic', dst, src, and(dst, src))],
});
