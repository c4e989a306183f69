// SDM, "RDPMC—Read Performance-Monitoring Counters". Which counters there are is in register/performance-msrs.ts; they hold
// what was written to them and count nothing.
import { GP } from '../interrupt/exceptions.js';
import { sdm } from '../manual/sdm.js';
import { counterAt } from '../register/performance-msrs.js';
import type { Cpu } from '../state/cpu.js';
import { defineInstruction } from './define.js';

const LOW_HALF = 0xffff_ffffn;
const counterOf = (cpu: Cpu): string | undefined => counterAt(cpu.profile, Number(cpu.RCX & LOW_HALF));

export const RDPMC = defineInstruction({
  mnemonic: 'RDPMC',
  manual: sdm('RDPMC—Read Performance-Monitoring Counters'),
  reads: ['RCX', 'CR0.PE', 'CR4.PCE', 'SS.attributes'],
  writes: ['RAX', 'RDX'],
  flags: 'unaffected',
  faults: [
    {
      id: 'core.rdpmc.pce',
      fields: ['CR4.PCE', 'SS.attributes'],
      when: (cpu) => cpu.CR0.PE && !cpu.CR4.PCE && cpu.CPL > 0,
      raise: GP(0),
      precedesIntercepts: true,
      explain: 'RDPMC needs CPL 0 unless CR4.PCE is 1.',
    },
    {
      id: 'core.rdpmc.counter',
      fields: ['RCX'],
      when: (cpu) => counterOf(cpu) === undefined,
      raise: GP(0),
      explain: 'ECX names no performance counter of this processor.',
    },
  ],
  intrinsics: {
    rdpmc: { operands: [], registers: ['RCX'], result: (cpu: Cpu) => (cpu.RDX << 32n) | cpu.RAX },
  },
  effect(cpu) {
    const counter = counterOf(cpu);
    if (counter === undefined) return; // refused by a row above
    const value = cpu.read(counter);
    cpu.RAX = value & LOW_HALF; // the high halves are cleared
    cpu.RDX = value >> 32n;
  },
});
