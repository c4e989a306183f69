// SDM, "Flag Control (EFLAG) Instructions": those that concern status flags and DF alone. PUSHF and POPF are in
// flags-on-stack.ts, CLI and STI in interrupt-flag.ts.
import { bit, constant, flag, not, or, setFlags, shl, write, zeroExtend } from '../expression/build.js';
import type { Expression, FlagName } from '../expression/nodes.js';
import { sdm } from '../manual/sdm.js';
import { RFLAGS, RFLAGS_FIXED } from '../register/rflags.js';
import { defineInstruction } from './define.js';
import { AH } from './implicit-operands.js';

const CLEAR = constant(1, 0n);
const SET = constant(1, 1n);

/** CLC, STC, CMC, CLD and STD: one flag takes one value. */
export const FLAG_ASSIGNMENTS = (
  [
    ['CLC', 'CLC—Clear Carry Flag', 'CF', CLEAR],
    ['STC', 'STC—Set Carry Flag', 'CF', SET],
    ['CMC', 'CMC—Complement Carry Flag', 'CF', not(flag('CF'))],
    ['CLD', 'CLD—Clear Direction Flag', 'DF', CLEAR],
    ['STD', 'STD—Set Direction Flag', 'DF', SET],
  ] as const
).map(([mnemonic, title, name, value]) =>
  defineInstruction({ mnemonic, manual: sdm(title), effect: () => [setFlags({ [name]: value })] }),
);

/** The flags in bits 7:0 of RFLAGS, which LAHF and SAHF move. */
const LOW_FLAGS = ['CF', 'PF', 'AF', 'ZF', 'SF'] as const satisfies readonly FlagName[];

export const LAHF = defineInstruction({
  mnemonic: 'LAHF',
  manual: sdm('LAHF—Load Status Flags Into AH Register'),
  effect: () => {
    const inPlace = (name: (typeof LOW_FLAGS)[number]): Expression =>
      shl(zeroExtend(flag(name), 8), constant(8, BigInt(RFLAGS.bits[name])));
    return [write(AH, LOW_FLAGS.map(inPlace).reduce(or, constant(8, BigInt(RFLAGS_FIXED))))];
  },
});

export const SAHF = defineInstruction({
  mnemonic: 'SAHF',
  manual: sdm('SAHF—Store AH Into Flags'),
  effect: () => [setFlags(Object.fromEntries(LOW_FLAGS.map((name) => [name, bit(AH, RFLAGS.bits[name])])))],
});
