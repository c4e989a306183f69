// SDM, "Binary Arithmetic Instructions": addition, subtraction and comparison, with the flags that they share. Multiply
// and divide are in multiply-and-divide.ts; ADCX and ADOX are here because they add.
import { add, arithmeticFlags, flag, neg, setFlags, sub, write } from '../expression/build.js';
import type { Effect, FlagName } from '../expression/nodes.js';
import { sdm } from '../manual/sdm.js';
import { defineInstruction, type EffectOperands } from './define.js';
import { asNumber, carryOut, like } from './implicit-operands.js';

export const ADD = defineInstruction({
  mnemonic: 'ADD',
  manual: sdm('ADD—Add'),
  lockable: true,
  effect: ({ dst, src }) => {
    const sum = add(dst, src);
    return [write(dst, sum), arithmeticFlags('add', dst, src, sum)];
  },
});

export const ADC = defineInstruction({
  mnemonic: 'ADC',
  manual: sdm('ADC—Add With Carry'),
  lockable: true,
  effect: ({ dst, src }) => {
    const sum = add(add(dst, src), asNumber(flag('CF'), dst));
    return [write(dst, sum), arithmeticFlags('add', dst, src, sum)];
  },
});

export const SUB = defineInstruction({
  mnemonic: 'SUB',
  manual: sdm('SUB—Subtract'),
  lockable: true,
  effect: ({ dst, src }) => {
    const difference = sub(dst, src);
    return [write(dst, difference), arithmeticFlags('sub', dst, src, difference)];
  },
});

export const SBB = defineInstruction({
  mnemonic: 'SBB',
  manual: sdm('SBB—Integer Subtraction With Borrow'),
  lockable: true,
  effect: ({ dst, src }) => {
    const difference = sub(sub(dst, src), asNumber(flag('CF'), dst));
    return [write(dst, difference), arithmeticFlags('sub', dst, src, difference)];
  },
});

export const CMP = defineInstruction({
  mnemonic: 'CMP',
  manual: sdm('CMP—Compare Two Operands'),
  effect: ({ dst, src }) => [arithmeticFlags('sub', dst, src, sub(dst, src))],
});

export const INC = defineInstruction({
  mnemonic: 'INC',
  manual: sdm('INC—Increment by 1'),
  lockable: true,
  effect: ({ dst }) => {
    const sum = add(dst, like(dst, 1n));
    return [write(dst, sum), arithmeticFlags('inc', dst, like(dst, 1n), sum)];
  },
});

export const DEC = defineInstruction({
  mnemonic: 'DEC',
  manual: sdm('DEC—Decrement by 1'),
  lockable: true,
  effect: ({ dst }) => {
    const difference = sub(dst, like(dst, 1n));
    return [write(dst, difference), arithmeticFlags('dec', dst, like(dst, 1n), difference)];
  },
});

export const NEG = defineInstruction({
  mnemonic: 'NEG',
  manual: sdm("NEG—Two's Complement Negation"),
  lockable: true,
  effect: ({ dst }) => [write(dst, neg(dst)), arithmeticFlags('sub', like(dst, 0n), dst, neg(dst))],
});

/** Addition that reads and writes one flag alone, so that two chains of carries can be interleaved. */
function addThroughOneFlag(carry: FlagName): (operands: EffectOperands) => Effect {
  return ({ dst, src }) => {
    const sum = add(add(dst, src), asNumber(flag(carry), dst));
    return [write(dst, sum), setFlags({ [carry]: carryOut(dst, src, sum) })];
  };
}

export const ADCX = defineInstruction({
  mnemonic: 'ADCX',
  manual: sdm('ADCX—Unsigned Integer Addition of Two Operands With Carry Flag'),
  effect: addThroughOneFlag('CF'),
});

export const ADOX = defineInstruction({
  mnemonic: 'ADOX',
  manual: sdm('ADOX—Unsigned Integer Addition of Two Operands With Overflow Flag'),
  effect: addThroughOneFlag('OF'),
});
