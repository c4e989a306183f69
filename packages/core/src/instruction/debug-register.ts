// SDM, "MOV—Move to/from Debug Registers". What breakpoints do is in interrupt/debug-status.ts.
import { fault } from '../event/outcome.js';
import { DEBUG_STATUS } from '../interrupt/debug-status.js';
import { GP, UD } from '../interrupt/exceptions.js';
import { sdm } from '../manual/sdm.js';
import { defineInstruction } from './define.js';
import type { Operand } from './operand.js';
import { operandAt, privileged } from './privilege.js';

const DEBUG_REGISTER = /^DR/;
/** Without CR4.DE these are other names. */
const ALIASES: Readonly<Record<string, string>> = { DR4: 'DR6', DR5: 'DR7' };

interface FixedBits {
  readonly writable: bigint;
  readonly ones: bigint;
}
/** DR6: B0 to B3, BD, BS, BT. DR7: enables, LE, GE, GD, conditions. */
const FIXED: Readonly<Record<string, FixedBits>> = {
  DR6: { writable: 0xe00fn, ones: 0xffff_0ff0n },
  DR7: { writable: 0xffff_23ffn, ones: 0x400n },
};
const GENERAL_DETECT = 0x2000n;

/** The name printed in the instruction, of either operand. */
function named(operands: readonly Operand[]): string {
  return operands.find(({ register }) => register !== undefined && DEBUG_REGISTER.test(register))?.register ?? '';
}

const writes = (operands: readonly Operand[], register: string): boolean =>
  operands[0]?.register !== undefined && (ALIASES[operands[0].register] ?? operands[0].register) === register;

export const MOV_DR = defineInstruction({
  mnemonic: 'MOV DR',
  manual: sdm('MOV—Move to/from Debug Registers'),
  reads: ['DR0', 'DR1', 'DR2', 'DR3', 'DR6', 'DR7', 'CR4.DE', 'SS.attributes'],
  writes: ['DR0', 'DR1', 'DR2', 'DR3', 'DR6', 'DR7'],
  flags: 'OF, SF, ZF, AF, PF and CF are undefined; they stay',
  faults: [
    {
      id: 'core.mov-dr.de',
      fields: ['CR4.DE'],
      when: (cpu, operands) => cpu.CR4.DE && named(operands) in ALIASES,
      raise: UD,
      explain: 'DR4 and DR5 are no registers while CR4.DE is 1: use DR6 and DR7.',
    },
    privileged('MOV-DR'),
    {
      id: 'core.mov-dr.gd',
      fields: ['DR7'],
      when: (cpu) => (cpu.read('DR7') & GENERAL_DETECT) !== 0n,
      raise: fault('#DB', { debugStatus: DEBUG_STATUS.BD }),
      explain: 'DR7.GD guards the debug registers: the handler of #DB has it cleared.',
    },
    {
      id: 'core.mov-dr.high-bits',
      when: (_cpu, operands) =>
        ['DR6', 'DR7'].some((register) => writes(operands, register)) && operandAt(operands, 1).read() >> 32n !== 0n,
      raise: GP(0),
      explain: 'Bits 63:32 of DR6 and DR7 are reserved: write them as 0.',
    },
  ],
  effect(cpu, operands) {
    const printed = named(operands);
    const register = ALIASES[printed] ?? printed;
    const [to, from] = [operandAt(operands, 0), operandAt(operands, 1)];
    if (to.register !== printed) return to.write(cpu.read(register));
    const { writable, ones } = FIXED[register] ?? { writable: (1n << 64n) - 1n, ones: 0n };
    const value = (from.read() & writable) | ones;
    return cpu.set(register, value);
  },
});
