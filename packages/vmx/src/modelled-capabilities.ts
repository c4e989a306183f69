// What a machine shows of a processor's VMX capabilities: controls whose work is not modelled may not be 1, so that software which
// asks first does not walk into a gap. A linter of dumps takes the profile as it is.
import type { Cpu, MsrDefinition, ProcessorProfile } from '@retrovisor/core';
import { CAPABILITY_MSRS, type CapabilityMsr, capability, capabilityAddress } from './capability-msrs.js';
import { type Control, Entry, Exit, PinBased, Primary, Secondary, SecondaryExit, Tertiary } from './controls.js';

/** Controls that the machine does not act on. */
export const NOT_MODELLED_CONTROLS: readonly Control[] = [
  PinBased['process posted interrupts'],
  Primary['activate tertiary controls'],
  Secondary['virtualize APIC accesses'],
  Secondary['virtualize x2APIC mode'],
  Secondary['APIC-register virtualization'],
  Secondary['virtual-interrupt delivery'],
  Secondary['enable ENCLS exiting'],
  Secondary['conceal VMX from PT'],
  Secondary['PASID translation'],
  Secondary['sub-page write permissions for EPT'],
  Secondary['Intel PT uses guest physical addresses'],
  Secondary['enable user wait and pause'],
  Secondary['enable PCONFIG'],
  Secondary['enable ENCLV exiting'],
  Secondary['VMM bus-lock detection'],
  Secondary['instruction timeout'],
  ...Object.values(Tertiary),
  Exit['load IA32_PERF_GLOBAL_CTRL'],
  Exit['clear IA32_BNDCFGS'],
  Exit['conceal VMX from PT'],
  Exit['clear IA32_RTIT_CTL'],
  Exit['clear IA32_LBR_CTL'],
  Exit['clear UINV'],
  Exit['load CET state'],
  Exit['save IA32_PERF_GLOBAL_CTRL'],
  Exit['activate secondary controls'],
  ...Object.values(SecondaryExit),
  Entry['entry to SMM'],
  Entry['deactivate dual-monitor treatment'],
  Entry['load IA32_PERF_GLOBAL_CTRL'],
  Entry['load IA32_BNDCFGS'],
  Entry['conceal VMX from PT'],
  Entry['load IA32_RTIT_CTL'],
  Entry['load UINV'],
  Entry['load CET state'],
  Entry['load guest IA32_LBR_CTL'],
  Entry['load FRED'],
  Entry['load guest IA32_SPEC_CTRL'],
];

/** Bits of other capability MSRs: IA32_VMX_EPT_VPID_CAP[23], supervisor shadow-stack control; IA32_VMX_MISC[14], Intel PT. */
const OTHER: Readonly<Partial<Record<CapabilityMsr, bigint>>> = {
  IA32_VMX_EPT_VPID_CAP: 1n << 23n,
  IA32_VMX_MISC: 1n << 14n,
};

const HIDDEN = hiddenBits();

function hiddenBits(): ReadonlyMap<string, bigint> {
  const hidden = new Map<string, bigint>(Object.entries(OTHER));
  for (const { bit, group } of NOT_MODELLED_CONTROLS) {
    const shift = group.format === 'allowed 1-settings' ? bit : bit + 32;
    for (const msr of [group.capability, group.trueCapability])
      if (msr !== undefined) hidden.set(msr, (hidden.get(msr) ?? 0n) | (1n << BigInt(shift)));
  }
  return hidden;
}

/** The value of a capability MSR as the machine shows it. */
export const shownCapability = (profile: ProcessorProfile, name: CapabilityMsr): bigint =>
  capability(profile, name) & ~(HIDDEN.get(name) ?? 0n);

const SHOWN = new WeakMap<ProcessorProfile, ProcessorProfile>();

/** The profile with the capabilities that the machine shows: what VM entries are checked against. */
export function shownProfile(profile: ProcessorProfile): ProcessorProfile {
  const known = SHOWN.get(profile);
  if (known !== undefined) return known;
  const values = [...HIDDEN.keys()].map((name) => [
    capabilityAddress(name as CapabilityMsr),
    shownCapability(profile, name as CapabilityMsr),
  ]);
  const shown = { ...profile, msrs: { ...profile.msrs, ...Object.fromEntries(values) } };
  SHOWN.set(profile, shown);
  return shown;
}

/** The capability MSRs for definePlugin. */
export const SHOWN_CAPABILITY_MSRS: Readonly<Record<string, MsrDefinition>> = Object.fromEntries(
  Object.entries(CAPABILITY_MSRS).map(([name, msr]) => [
    name,
    HIDDEN.has(name) ? { ...msr, read: (cpu: Cpu) => shownCapability(cpu.profile, name as CapabilityMsr) } : msr,
  ]),
);
