// IA32_FEATURE_CONTROL (SDM, "Enabling and Entering VMX Operation"): firmware enables VMXON and sets the lock, after
// which the MSR is fixed until RESET. RESET clears it, so a machine that no firmware prepared has VMXON disabled.
import { type Cpu, type FaultExplanation, GP, type MsrDefinition, raise, sdm } from '@retrovisor/core';
import { basic, hasVmx } from './capability-msrs.js';

/** Bit numbers. Those of SENTER, SGX and LMCE belong to features that are not modelled, and are reserved. */
export const FEATURE_CONTROL = { lock: 0, vmxonOutsideSmx: 2 } as const;

const LOCKED: keyof typeof FEATURE_CONTROL_RULES = 'vmx.feature-control.locked';
const LOCK = 1n << BigInt(FEATURE_CONTROL.lock);
const ALL_BITS = 0xffff_ffff_ffff_ffffn;

export const FEATURE_CONTROL_MSRS: Readonly<Record<string, MsrDefinition>> = {
  IA32_FEATURE_CONTROL: {
    address: 0x3a,
    existsWhen: hasVmx,
    // Bit 1 enables VMXON in SMX operation: a bit of a feature that CPUID does not show is reserved, as in KVM.
    reserved: ALL_BITS & ~(LOCK | (1n << BigInt(FEATURE_CONTROL.vmxonOutsideSmx))),
    write: writeFeatureControl,
    manual: sdm('Enabling and Entering VMX Operation'),
  },
  IA32_SMM_MONITOR_CTL: {
    address: 0x9b,
    reset: 0n,
    existsWhen: (profile) => hasVmx(profile) && basic(profile, 'dual-monitor treatment') === 1,
    readOnly: true, // WRMSR outside SMM is #GP(0), and SMM is not modelled
    manual: sdm('Enabling the Dual-Monitor Treatment'),
  },
};

/** By rule id. */
export const FEATURE_CONTROL_RULES = {
  'vmx.feature-control.locked': {
    manual: sdm('Enabling and Entering VMX Operation'),
    explain: 'IA32_FEATURE_CONTROL cannot be written once its lock bit is set: only RESET clears it.',
    fields: ['IA32_FEATURE_CONTROL.0'],
  },
} as const satisfies Readonly<Record<string, FaultExplanation>>;

function writeFeatureControl(cpu: Cpu, value: bigint): void {
  if (cpu.read('IA32_FEATURE_CONTROL') & LOCK) raise(GP(0), LOCKED);
  cpu.set('IA32_FEATURE_CONTROL', value);
}
