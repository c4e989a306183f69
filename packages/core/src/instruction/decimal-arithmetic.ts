// SDM, "Decimal Arithmetic Instructions", which 64-bit mode does not have. Flags that the manual leaves undefined are as
// Bochs has them, after processors: OF is 0; SF, ZF and PF are those of AL; AF and CF are 0 after AAM and AAD.
import {
  add,
  and,
  constant,
  divide,
  evenParity,
  faultIf,
  flag,
  isZero,
  lessUnsigned,
  mul,
  or,
  select,
  setFlags,
  signBit,
  sub,
  write,
} from '../expression/build.js';
import type { Effect, Expression } from '../expression/nodes.js';
import { DE } from '../interrupt/exceptions.js';
import { sdm } from '../manual/sdm.js';
import { defineInstruction } from './define.js';
import { AH, accumulator } from './implicit-operands.js';

const AL = accumulator(8);
const AX = accumulator(16);
const CLEAR = constant(1, 0n);
const byte = (value: bigint): Expression => constant(8, value);
const isAbove = (value: Expression, limit: bigint): Expression => lessUnsigned(byte(limit), value);
/** The low digit is no decimal one, or a carry went out of it. */
const adjustsLowDigit = or(isAbove(and(AL, byte(0xfn)), 9n), flag('AF'));
const adjustsHighDigit = or(isAbove(AL, 0x99n), flag('CF'));

function flagsOf(result: Expression, AF: Expression, CF: Expression): Effect[number] {
  return setFlags({ SF: signBit(result), ZF: isZero(result), PF: evenParity(result), OF: CLEAR, AF, CF });
}

function packedAdjustment(operator: typeof add, carry: Expression): Effect {
  const low = select(adjustsLowDigit, byte(6n), byte(0n));
  const high = select(adjustsHighDigit, byte(0x60n), byte(0n));
  const result = operator(operator(AL, low), high);
  return [write(AL, result), flagsOf(result, adjustsLowDigit, carry)];
}

export const DAA = defineInstruction({
  mnemonic: 'DAA',
  manual: sdm('DAA—Decimal Adjust AL After Addition'),
  effect: () => packedAdjustment(add, adjustsHighDigit),
});

/** The borrow of the low digit's adjustment counts too: AL below 6 with AF set. */
export const DAS = defineInstruction({
  mnemonic: 'DAS',
  manual: sdm('DAS—Decimal Adjust AL After Subtraction'),
  effect: () => packedAdjustment(sub, or(adjustsHighDigit, and(adjustsLowDigit, lessUnsigned(AL, byte(6n))))),
});

/** One digit in AL, whose carry goes to AH. */
function unpackedAdjustment(operator: typeof add): Effect {
  const adjusted = operator(AX, select(adjustsLowDigit, constant(16, 0x106n), constant(16, 0n)));
  const result = and(adjusted, constant(16, 0xff0fn));
  const digit = and(operator(AL, select(adjustsLowDigit, byte(6n), byte(0n))), byte(0xfn));
  return [write(AX, result), flagsOf(digit, adjustsLowDigit, adjustsLowDigit)];
}

export const AAA = defineInstruction({
  mnemonic: 'AAA',
  manual: sdm('AAA—ASCII Adjust After Addition'),
  effect: () => unpackedAdjustment(add),
});

export const AAS = defineInstruction({
  mnemonic: 'AAS',
  manual: sdm('AAS—ASCII Adjust AL After Subtraction'),
  effect: () => unpackedAdjustment(sub),
});

export const AAM = defineInstruction({
  mnemonic: 'AAM',
  manual: sdm('AAM—ASCII Adjust AX After Multiply'),
  effect: ({ dst: base }) => {
    const digit = divide('remainder', false, byte(0n), AL, base);
    return [
      faultIf(isZero(base), DE, 'core.aam.base'),
      write(AH, divide('quotient', false, byte(0n), AL, base)),
      write(AL, digit),
      flagsOf(digit, CLEAR, CLEAR),
    ];
  },
});

export const AAD = defineInstruction({
  mnemonic: 'AAD',
  manual: sdm('AAD—ASCII Adjust AX Before Division'),
  effect: ({ dst: base }) => {
    const value = add(AL, mul(AH, base));
    return [write(AL, value), write(AH, byte(0n)), flagsOf(value, CLEAR, CLEAR)];
  },
});
