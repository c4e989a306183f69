// SDM, "SSE MXCSR State Management Instructions", and MASKMOVDQU, which stores the bytes that a mask chooses.
import { GP } from '../../interrupt/exceptions.js';
import { sdm } from '../../manual/sdm.js';
import { defineInstruction } from '../define.js';
import { operandAt } from '../privilege.js';
import { storeSelectedBytes } from '../selected-bytes.js';
import { availabilityFaults } from './availability.js';

/** Bits of MXCSR that software may set: the image of FXSAVE says the same as MXCSR_MASK. */
export const MXCSR_MASK = 0xffffn;

export const LDMXCSR = defineInstruction({
  mnemonic: 'LDMXCSR',
  manual: sdm('LDMXCSR—Load MXCSR Register'),
  reads: ['CR0.EM', 'CR4.OSFXSR', 'CR0.TS'],
  writes: ['MXCSR'],
  flags: 'unaffected',
  faults: [
    ...availabilityFaults('LDMXCSR'),
    {
      id: 'core.ldmxcsr.reserved',
      fields: ({ operands }) => [operands[0]?.place() ?? []].flat(),
      when: (_cpu, operands) => (operandAt(operands, 0).read() & ~MXCSR_MASK) !== 0n,
      raise: GP(0),
      explain: 'Bits 31:16 of MXCSR are reserved: load them as 0.',
    },
  ],
  effect: (cpu, operands) => cpu.set('MXCSR', operandAt(operands, 0).read()),
});

export const STMXCSR = defineInstruction({
  mnemonic: 'STMXCSR',
  manual: sdm('STMXCSR—Store MXCSR Register State'),
  reads: ['MXCSR', 'CR0.EM', 'CR4.OSFXSR', 'CR0.TS'],
  writes: [],
  flags: 'unaffected',
  faults: availabilityFaults('STMXCSR'),
  effect: (cpu, operands) => operandAt(operands, 0).write(cpu.read('MXCSR')),
});

export const MASKMOVDQU = defineInstruction({
  mnemonic: 'MASKMOVDQU',
  manual: sdm('MASKMOVDQU—Store Selected Bytes of Double Quadword'),
  reads: ['CR0.EM', 'CR4.OSFXSR', 'CR0.TS', 'RDI'],
  writes: [],
  flags: 'unaffected',
  faults: availabilityFaults('MASKMOVDQU'),
  effect: (cpu, operands) =>
    storeSelectedBytes(cpu, operandAt(operands, 0), operandAt(operands, 1).read(), operandAt(operands, 2).read()),
});
