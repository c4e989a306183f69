// SDM, "CPUID—CPU Identification". What is returned is in register/cpuid.ts.
import { GP } from '../interrupt/exceptions.js';
import { sdm } from '../manual/sdm.js';
import { type CpuidResult, cpuidOf } from '../register/cpuid.js';
import { CPUID_FAULTING } from '../register/intel-msrs.js';
import type { Cpu } from '../state/cpu.js';
import { defineInstruction } from './define.js';

const MISC_FEATURES_ENABLES = 0x140;

const low = (value: bigint): number => Number(BigInt.asUintN(32, value));

/** What an intrinsic hands back: the four registers as unsigned 32-bit numbers. */
const result = (cpu: Cpu): CpuidResult => ({
  eax: low(cpu.RAX),
  ebx: low(cpu.RBX),
  ecx: low(cpu.RCX),
  edx: low(cpu.RDX),
});

export const CPUID = defineInstruction({
  mnemonic: 'CPUID',
  manual: sdm('CPUID—CPU Identification'),
  reads: ['RAX', 'RCX'],
  writes: ['RAX', 'RBX', 'RCX', 'RDX'],
  flags: 'unaffected',
  faults: [
    {
      id: 'core.cpuid.faulting',
      fields: ['SS.attributes'],
      when: (cpu) =>
        cpu.CPL > 0 &&
        cpu.definition.msrs.has(MISC_FEATURES_ENABLES) &&
        (cpu.read('MSR_MISC_FEATURES_ENABLES') & CPUID_FAULTING) !== 0n,
      raise: GP(0),
      explain: 'MSR_MISC_FEATURES_ENABLES[0] makes CPUID fault above CPL 0.',
    },
  ],
  intrinsics: { cpuid: { operands: [], registers: ['RAX', 'RCX'], result } },
  effect(cpu) {
    const { eax, ebx, ecx, edx } = cpuidOf(cpu, low(cpu.RAX), low(cpu.RCX));
    cpu.RAX = BigInt(eax); // bits 63:32 of all four are cleared
    cpu.RBX = BigInt(ebx);
    cpu.RCX = BigInt(ecx);
    cpu.RDX = BigInt(edx);
  },
});
