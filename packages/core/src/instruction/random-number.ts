// SDM, "RDRAND—Read Random Number", "RDSEED—Read Random SEED". A plugin may supply the number; else it comes from a
// generator whose state is a register, so that a run repeats. It is SplitMix64: an additive counter and a mixing function.
// Numbers are never exhausted: CF is always 1, and a loop that waits for it ends at once.
import { sdm } from '../manual/sdm.js';
import type { Cpu } from '../state/cpu.js';
import { defineInstruction } from './define.js';
import { operandAt } from './privilege.js';

const INCREMENT = 0x9e37_79b9_7f4a_7c15n;
const FACTORS = [0xbf58_476d_1ce4_e5b9n, 0x94d0_49bb_1331_11ebn] as const;
const word = (value: bigint): bigint => BigInt.asUintN(64, value);

/** The number after the one that the state stands for; the processor's number keeps equal states apart. */
function generated(cpu: Cpu): bigint {
  const state = word(cpu.read('randomState') + INCREMENT);
  cpu.set('randomState', state);
  let mixed = word(state + BigInt(cpu.id) * FACTORS[0]);
  mixed = word((mixed ^ (mixed >> 30n)) * FACTORS[0]);
  mixed = word((mixed ^ (mixed >> 27n)) * FACTORS[1]);
  return mixed ^ (mixed >> 31n);
}

function supplied(cpu: Cpu): bigint | undefined {
  for (const intercept of cpu.definition.intercepts.randomNumber) {
    const number = intercept(cpu);
    if (number !== undefined) return word(number);
  }
  return undefined;
}

export const RANDOM_NUMBERS = (
  [
    ['RDRAND', 'RDRAND—Read Random Number'],
    ['RDSEED', 'RDSEED—Read Random SEED'],
  ] as const
).map(([mnemonic, title]) =>
  defineInstruction({
    mnemonic,
    manual: sdm(title),
    reads: ['randomState'],
    writes: ['randomState', 'RFLAGS'],
    flags: 'CF is set; OF, SF, ZF, AF and PF are cleared',
    effect(cpu, operands) {
      const number = operandAt(operands, 0);
      number.write(BigInt.asUintN(number.width, supplied(cpu) ?? generated(cpu)));
      for (const flag of ['OF', 'SF', 'ZF', 'AF', 'PF'] as const) cpu.RFLAGS[flag] = false;
      cpu.RFLAGS.CF = true;
    },
  }),
);
