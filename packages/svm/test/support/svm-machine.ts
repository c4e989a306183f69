// Machines for the tests: AMD processors with SVM in a mode and at a privilege level of the test's choice.
import { createMachine, findProfile, longMode, type ProcessorProfile } from '@retrovisor/core';
import { svm } from '../../src/index.js';

export const SVME = 1n << 12n;
/** Where tests keep a VMCB. */
export const VMCB = 0x20_0000n;

const CR0_PE = 1n;
const CR0_PG = 1n << 31n;
const EFER_LONG = 0x500n; // LME, LMA
const RFLAGS_VM = 1n << 17n;
const CODE = 0x9bn;
const CODE_L = 1n << 13n;
const CODE_D = 1n << 14n;
const DATA = 0x93n;

/** The modes of a processor, and whether the SVM instructions are recognized in them. */
export const MODES = {
  real: false,
  'virtual-8086': false,
  protected: true,
  compatibility: true,
  '64-bit': true,
} as const;
export type ModeName = keyof typeof MODES;

/** A machine in 64-bit mode at CPL 0, SVM enabled on every processor. */
export function svmMachine(profile: ProcessorProfile | string = 'amd-server', processors = 1) {
  const machine = createMachine({ profile, processors, memory: 16 * 2 ** 20, plugins: [svm], boot: longMode() });
  for (let id = 0; id < processors; id += 1)
    machine.processor(id).set('IA32_EFER', machine.processor(id).read('IA32_EFER') | SVME);
  return machine;
}

export type SvmProcessorHandle = ReturnType<ReturnType<typeof svmMachine>['processor']>;

/** Puts a processor into a mode and at a privilege level; virtual-8086 mode is always level 3, real mode level 0. */
export function enterMode(cpu: SvmProcessorHandle, mode: ModeName, cpl: number): void {
  const long = mode === '64-bit' || mode === 'compatibility';
  cpu.set('CR0', mode === 'real' ? 0x10n : long ? CR0_PG | CR0_PE | 0x10n : CR0_PE | 0x10n);
  cpu.set('IA32_EFER', (cpu.read('IA32_EFER') & ~EFER_LONG) | (long ? EFER_LONG : 0n));
  cpu.set('RFLAGS', mode === 'virtual-8086' ? RFLAGS_VM | 2n : 2n);
  cpu.set(
    'CS.attributes',
    CODE |
      (BigInt(cpl) << 5n) |
      (mode === '64-bit' ? CODE_L : mode === 'real' || mode === 'virtual-8086' ? 0n : CODE_D),
  );
  cpu.set('SS.attributes', DATA | (BigInt(cpl) << 5n));
}

/** The profile with bits of a CPUID register cleared. */
export function withoutCpuid(leaf: number, register: 'eax' | 'ebx' | 'ecx' | 'edx', mask: number): ProcessorProfile {
  const profile = findProfile('amd-server');
  return {
    ...profile,
    cpuid: profile.cpuid.map((row) =>
      row.leaf === leaf ? { ...row, [register]: (row[register] & ~mask) >>> 0 } : row,
    ),
  };
}
export const WITHOUT_SKINIT = withoutCpuid(0x8000_0001, 'ecx', 1 << 12);
