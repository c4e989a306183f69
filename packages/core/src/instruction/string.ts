// SDM, "String Instructions": MOVS, CMPS, SCAS, LODS, STOS, and the prefixes that repeat them. INS and OUTS are in
// io.ts.
//
// A step is one iteration: it moves or compares one element, counts down rCX, and jumps to its own address until it is
// done. So an interrupt, a trap or a fault between two iterations finds the registers of the completed ones, as the manual
// asks, and RIP at the instruction, which goes on when it is resumed.
import {
  add,
  and,
  arithmeticFlags,
  endIf,
  equal,
  flag,
  general,
  isZero,
  jump,
  not,
  select,
  sub,
  write,
} from '../expression/build.js';
import type { Effect, Expression, Write } from '../expression/nodes.js';
import { sdm } from '../manual/sdm.js';
import { defineInstruction, type EffectOperands } from './define.js';
import { counter, isNotZero, like } from './implicit-operands.js';

/** Registers that hold an offset, by their numbers. */
const [SOURCE_INDEX, DESTINATION_INDEX] = [6, 7];

/** Past the element, up or down as DF says; with a 67H prefix in 64-bit mode bits 63:32 are cleared, as in any register. */
function advance({ dst, addressWidth }: EffectOperands, index: number): Write {
  const bytes = BigInt(dst.width / 8);
  const register = general(index, addressWidth);
  return write(register, add(register, select(flag('DF'), like(register, -bytes), like(register, bytes))));
}

/**
 * One iteration; with a repeat prefix it counts. Vendors differ in two places. A count of 0 under a 67H prefix in 64-bit
 * mode leaves all registers alone here, where some processors clear bits 63:32 of the three that the instruction uses. A
 * fault in a later iteration of CMPS or SCAS finds the flags of the one before, as on AMD processors; the SDM has those
 * from before the instruction.
 */
function repeated({ repeat, addressWidth, here }: EffectOperands, iteration: Effect, onlyWhile?: Expression): Effect {
  if (repeat === 'none') return iteration;
  const count = counter(addressWidth);
  const left = sub(count, like(count, 1n));
  const again = onlyWhile === undefined ? isNotZero(left) : and(isNotZero(left), onlyWhile);
  return [endIf(isZero(count)), jump(here, again), ...iteration, write(count, left)];
}

type StringEffect = (operands: EffectOperands, indexes: readonly number[]) => Effect;

/** REPNE is undefined before these; processors take it for REP. */
const move: StringEffect = (operands, indexes) => {
  const { dst, src } = operands;
  return repeated(operands, [write(dst, src), ...indexes.map((index) => advance(operands, index))]);
};

/** REPE goes on while the elements are equal, REPNE while they are not: ZF of the comparison just made. */
const compare: StringEffect = (operands, indexes) => {
  const { dst, src, repeat } = operands;
  const comparison = arithmeticFlags('sub', dst, src, sub(dst, src));
  const isEqual = equal(dst, src);
  const iteration = [comparison, ...indexes.map((index) => advance(operands, index))];
  return repeated(operands, iteration, repeat === 'repne' ? not(isEqual) : isEqual);
};

const ROWS = [
  [
    'MOVS',
    sdm('MOVS/MOVSB/MOVSW/MOVSD/MOVSQ—Move Data From String to String'),
    move,
    [SOURCE_INDEX, DESTINATION_INDEX],
  ],
  ['CMPS', sdm('CMPS/CMPSB/CMPSW/CMPSD/CMPSQ—Compare String Operands'), compare, [SOURCE_INDEX, DESTINATION_INDEX]],
  ['SCAS', sdm('SCAS/SCASB/SCASW/SCASD—Scan String'), compare, [DESTINATION_INDEX]],
  ['LODS', sdm('LODS/LODSB/LODSW/LODSD/LODSQ—Load String'), move, [SOURCE_INDEX]],
  ['STOS', sdm('STOS/STOSB/STOSW/STOSD/STOSQ—Store String'), move, [DESTINATION_INDEX]],
] as const;

/** Each for bytes, words, doublewords and quadwords. */
export const STRING_INSTRUCTIONS = ROWS.flatMap(([name, manual, effect, indexes]) =>
  (['B', 'W', 'D', 'Q'] as const).map((size) =>
    defineInstruction({ mnemonic: `${name}${size}`, manual, effect: (operands) => effect(operands, indexes) }),
  ),
);
