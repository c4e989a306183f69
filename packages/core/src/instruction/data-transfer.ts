// SDM, "Data Transfer Instructions": the general-purpose ones whose effect is an expression. PUSH, POP and what else
// uses the stack is in stack.ts; MOV with control, debug and segment registers in the file of each.
import { InternalError } from '../error.js';
import {
  add,
  and,
  arithmeticFlags,
  byteSwap,
  condition,
  constant,
  equal,
  faultIf,
  memory,
  not,
  sar,
  select,
  setFlags,
  signExtend,
  sub,
  truncate,
  write,
  zeroExtend,
} from '../expression/build.js';
import type { ConditionCode } from '../expression/nodes.js';
import { GP } from '../interrupt/exceptions.js';
import { sdm } from '../manual/sdm.js';
import { defineInstruction } from './define.js';
import {
  accumulator,
  baseRegister,
  concatenate,
  counter,
  dataRegister,
  isNotZero,
  type OperandWidth,
  upperHalf,
  widthOf,
  writeIf,
} from './implicit-operands.js';

/** The suffixes of Jcc, SETcc and CMOVcc in the order of their encodings. */
export const CONDITIONS: readonly ConditionCode[] = [
  'O',
  'NO',
  'B',
  'AE',
  'E',
  'NE',
  'BE',
  'A',
  'S',
  'NS',
  'P',
  'NP',
  'L',
  'GE',
  'LE',
  'G',
];

export const MOV = defineInstruction({
  mnemonic: 'MOV',
  manual: sdm('MOV—Move'),
  effect: ({ dst, src }) => [write(dst, src)],
});

export const CMOVCC = CONDITIONS.map((code) =>
  defineInstruction({
    mnemonic: `CMOV${code}`,
    manual: sdm('CMOVcc—Conditional Move'),
    // The source is read, and bits 63:32 of a 32-bit destination are cleared, whether the condition holds or not.
    effect: ({ dst, src }) => [write(dst, select(condition(code), src, dst))],
  }),
);

export const XCHG = defineInstruction({
  mnemonic: 'XCHG',
  manual: sdm('XCHG—Exchange Register/Memory With Register'),
  lockable: true, // with memory it is locked even without the prefix
  effect: ({ dst, src }) => [write(dst, src), write(src, dst)],
});

export const BSWAP = defineInstruction({
  mnemonic: 'BSWAP',
  manual: sdm('BSWAP—Byte Swap'),
  // The manual leaves a 16-bit register undefined; processors store 0.
  effect: ({ dst }) => [write(dst, dst.width === 16 ? constant(16, 0n) : byteSwap(dst))],
});

export const XADD = defineInstruction({
  mnemonic: 'XADD',
  manual: sdm('XADD—Exchange and Add'),
  lockable: true,
  effect: ({ dst, src }) => {
    const sum = add(dst, src);
    // The sum is written last, so that it stays where both operands are one register.
    return [write(src, dst), write(dst, sum), arithmeticFlags('add', dst, src, sum)];
  },
});

export const CMPXCHG = defineInstruction({
  mnemonic: 'CMPXCHG',
  manual: sdm('CMPXCHG—Compare and Exchange'),
  lockable: true,
  effect: ({ dst, src }) => {
    const expected = accumulator(widthOf(dst));
    const matches = equal(expected, dst);
    return [
      writeIf(not(matches), expected, dst),
      writeIf(matches, dst, src), // memory that does not match is written with its own value
      arithmeticFlags('sub', expected, dst, sub(expected, dst)),
    ];
  },
});

export const CMPXCHG8B = defineInstruction({
  mnemonic: 'CMPXCHG8B',
  manual: sdm('CMPXCHG8B/CMPXCHG16B—Compare and Exchange Bytes'),
  lockable: true,
  effect: ({ dst }) => {
    const matches = equal(concatenate(dataRegister(32), accumulator(32)), dst);
    return [
      writeIf(matches, dst, concatenate(counter(32), baseRegister(32))),
      writeIf(not(matches), accumulator(32), truncate(dst, 32)),
      writeIf(not(matches), dataRegister(32), upperHalf(dst)),
      setFlags({ ZF: matches }),
    ];
  },
});

export const CMPXCHG16B = defineInstruction({
  mnemonic: 'CMPXCHG16B',
  manual: sdm('CMPXCHG8B/CMPXCHG16B—Compare and Exchange Bytes'),
  lockable: true,
  effect: ({ dst }) => {
    if (dst.kind !== 'vectorMemory') throw new InternalError('CMPXCHG16B has a memory operand', { kind: dst.kind });
    // Two places of 64 bits, of which each may be written alone; alignment keeps them on one page.
    const low = memory(64, dst.segment, dst.offset);
    const high = memory(64, dst.segment, add(dst.offset, constant(64, 8n)));
    const matches = and(equal(accumulator(64), low), equal(dataRegister(64), high));
    return [
      faultIf(isNotZero(and(dst.offset, constant(64, 0xfn))), GP(0), 'core.cmpxchg16b.alignment'),
      writeIf(matches, low, baseRegister(64)),
      writeIf(matches, high, counter(64)),
      writeIf(not(matches), accumulator(64), low),
      writeIf(not(matches), dataRegister(64), high),
      setFlags({ ZF: matches }),
    ];
  },
});

/** The conversions of CBW's page: each sign-extends a part of the accumulator into one twice as wide. */
export const ACCUMULATOR_EXTENSIONS = (
  [
    ['CBW', 8, 16],
    ['CWDE', 16, 32],
    ['CDQE', 32, 64],
  ] as const
).map(([mnemonic, from, to]) =>
  defineInstruction({
    mnemonic,
    manual: sdm('CBW/CWDE/CDQE—Convert Byte to Word/Convert Word to Doubleword/Convert Doubleword to Quadword'),
    effect: () => [write(accumulator(to), signExtend(accumulator(from), to))],
  }),
);

/** CWD's page: the sign of the accumulator fills the data register. */
export const SIGN_SPREADS = (
  [
    ['CWD', 16],
    ['CDQ', 32],
    ['CQO', 64],
  ] as const
).map(([mnemonic, width]) =>
  defineInstruction({
    mnemonic,
    manual: sdm('CWD/CDQ/CQO—Convert Word to Doubleword/Convert Doubleword to Quadword'),
    effect: () => [write(dataRegister(width), sar(accumulator(width), constant(width, BigInt(width - 1))))],
  }),
);

/** Moves that extend: the destination's width says how far. MOVSXD without REX.W copies 32 bits and is discouraged. */
export const EXTENDING_MOVES = (
  [
    ['MOVSX', signExtend, 'MOVSX/MOVSXD—Move With Sign-Extension'],
    ['MOVSXD', signExtend, 'MOVSX/MOVSXD—Move With Sign-Extension'],
    ['MOVZX', zeroExtend, 'MOVZX—Move With Zero-Extend'],
  ] as const
).map(([mnemonic, extend, title]) =>
  defineInstruction({
    mnemonic,
    manual: sdm(title),
    effect: ({ dst, src }) => [write(dst, extend(src, dst.width as OperandWidth))],
  }),
);

export const MOVBE = defineInstruction({
  mnemonic: 'MOVBE',
  manual: sdm('MOVBE—Move Data After Swapping Bytes'),
  effect: ({ dst, src }) => [write(dst, byteSwap(src))],
});

/** Caches are not modelled: how a store gets to memory is without effect. */
export const HINTED_STORES = (
  [
    ['MOVNTI', 'MOVNTI—Store Doubleword Using Non-Temporal Hint'],
    ['MOVDIRI', 'MOVDIRI—Move Doubleword as Direct Store'],
  ] as const
).map(([mnemonic, title]) =>
  defineInstruction({ mnemonic, manual: sdm(title), effect: ({ dst, src }) => [write(dst, src)] }),
);
