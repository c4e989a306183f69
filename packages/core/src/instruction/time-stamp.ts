// SDM, "RDTSC—Read Time-Stamp Counter", "RDTSCP—Read Time-Stamp Counter and Processor ID", "RDPID—Read Processor ID".
import { GP } from '../interrupt/exceptions.js';
import { sdm } from '../manual/sdm.js';
import { shownTimeStamp } from '../register/time-stamp-counter.js';
import type { Cpu } from '../state/cpu.js';
import { defineInstruction, type FaultRow } from './define.js';
import { operandAt } from './privilege.js';

const LOW_HALF = 0xffff_ffffn;
const TIME_STAMP = ['IA32_TIME_STAMP_COUNTER', 'cycles', 'CR0.PE', 'CR4.TSD', 'SS.attributes'];

const timeStampDisabled = (mnemonic: string): FaultRow => ({
  id: `core.${mnemonic.toLowerCase()}.tsd`,
  fields: ['CR4.TSD', 'SS.attributes'],
  when: (cpu) => cpu.CR0.PE && cpu.CR4.TSD && cpu.CPL > 0,
  raise: GP(0),
  precedesIntercepts: true,
  explain: `${mnemonic} needs CPL 0 while CR4.TSD is 1.`,
});

/** The counter goes to EDX:EAX; the high halves of RAX and RDX are cleared, in every mode. */
function loadTimeStamp(cpu: Cpu): void {
  const tsc = shownTimeStamp(cpu);
  cpu.RAX = tsc & LOW_HALF;
  cpu.RDX = tsc >> 32n;
}

const result = (cpu: Cpu): bigint => (cpu.RDX << 32n) | cpu.RAX;

export const RDTSC = defineInstruction({
  mnemonic: 'RDTSC',
  manual: sdm('RDTSC—Read Time-Stamp Counter'),
  reads: TIME_STAMP,
  writes: ['RAX', 'RDX'],
  flags: 'unaffected',
  faults: [timeStampDisabled('RDTSC')],
  intrinsics: { rdtsc: { operands: [], result } },
  effect: loadTimeStamp,
});

export const RDTSCP = defineInstruction({
  mnemonic: 'RDTSCP',
  manual: sdm('RDTSCP—Read Time-Stamp Counter and Processor ID'),
  reads: [...TIME_STAMP, 'IA32_TSC_AUX'],
  writes: ['RAX', 'RDX', 'RCX'],
  flags: 'unaffected',
  faults: [timeStampDisabled('RDTSCP')],
  intrinsics: { rdtscp: { operands: [], result } },
  effect(cpu) {
    loadTimeStamp(cpu);
    cpu.RCX = cpu.read('IA32_TSC_AUX') & LOW_HALF;
  },
});

export const RDPID = defineInstruction({
  mnemonic: 'RDPID',
  manual: sdm('RDPID—Read Processor ID'),
  reads: ['IA32_TSC_AUX'],
  writes: [],
  flags: 'unaffected',
  effect: (cpu, operands) => operandAt(operands, 0).write(cpu.read('IA32_TSC_AUX')),
});
