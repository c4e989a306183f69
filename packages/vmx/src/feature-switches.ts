// Features of VMX that a machine can be made without, by the manual's name: controls that may then not be 1, and what
// IA32_VMX_EPT_VPID_CAP and IA32_VMX_MISC report. Left out are default1 controls that processors without TRUE capability
// MSRs require.
import type { FeatureSwitch, ProcessorProfile } from '@retrovisor/core';
import { VMX_BASIC, VMX_EPT_VPID_CAP, VMX_MISC } from './capability-bits.js';
import { CAPABILITY_MSRS, CPUID_VMX } from './capability-msrs.js';
import {
  type Control,
  Entry,
  Exit,
  PinBased,
  Primary,
  Secondary,
  SecondaryExit,
  Tertiary,
  VmFunction,
} from './controls.js';

/** Controls that mean nothing without EPT, so that no processor has them alone. */
const NEED_EPT: readonly Control[] = [
  Secondary['unrestricted guest'],
  Secondary['enable PML'],
  Secondary['EPT-violation #VE'],
  Secondary['mode-based execute control for EPT'],
  Secondary['sub-page write permissions for EPT'],
  Secondary['Intel PT uses guest physical addresses'],
  Secondary['enable VM functions'],
  Tertiary['enable HLAT'],
  Tertiary['EPT paging-write control'],
  Tertiary['guest-paging verification'],
];

const CONTROLS: readonly Control[] = [PinBased, Primary, Secondary, Tertiary, Exit, SecondaryExit, Entry, VmFunction]
  .flatMap((group): Control[] => Object.values(group))
  .filter(({ bit, group }) => !group.default1.includes(bit));

function withBitsClear(profile: ProcessorProfile, msr: string, mask: bigint): ProcessorProfile {
  const address = CAPABILITY_MSRS[msr]?.address;
  const value = address === undefined ? undefined : profile.msrs[address];
  if (address === undefined || value === undefined) return profile;
  return { ...profile, msrs: { ...profile.msrs, [address]: value & ~mask } };
}

/** The control may not be 1. */
function withoutControl(profile: ProcessorProfile, { bit, group }: Control): ProcessorProfile {
  const mask = 1n << BigInt(group.format === 'allowed 1-settings' ? bit : bit + 32);
  const msrs = [group.capability, ...(group.trueCapability === undefined ? [] : [group.trueCapability])];
  return msrs.reduce((result, msr) => withBitsClear(result, msr, mask), profile);
}

/** A name that several words have, such as "load PKRS" of entries and exits, is one feature. */
function controlSwitch(name: string): FeatureSwitch {
  const named = CONTROLS.filter((control) => control.name === name);
  const all = named.includes(Secondary['enable EPT']) ? [...named, ...NEED_EPT] : named;
  return (profile) => all.reduce(withoutControl, profile);
}

/** Fields of one bit. */
const bitSwitches = (
  msr: string,
  fields: Readonly<Record<string, string>>,
  only = /./,
): readonly [string, FeatureSwitch][] =>
  Object.entries(fields)
    .filter(([name, bits]) => /^\d+$/.test(bits) && only.test(name))
    .map(([name, bits]) => [name, (profile) => withBitsClear(profile, msr, 1n << BigInt(bits))]);

const VMX: FeatureSwitch = (profile) => ({
  ...profile,
  cpuid: profile.cpuid.map((row) =>
    row.leaf === CPUID_VMX.leaf ? { ...row, ecx: (row.ecx & ~CPUID_VMX.mask) >>> 0 } : row,
  ),
});

/** By name, for definePlugin. */
export const VMX_FEATURES: Readonly<Record<string, FeatureSwitch>> = {
  VMX,
  ...Object.fromEntries(CONTROLS.map(({ name }) => [name, controlSwitch(name)])),
  ...Object.fromEntries(bitSwitches('IA32_VMX_EPT_VPID_CAP', VMX_EPT_VPID_CAP.fields)),
  ...Object.fromEntries(bitSwitches('IA32_VMX_MISC', VMX_MISC.fields, /^activity state|^VMWRITE|^injection/)),
  ...Object.fromEntries(bitSwitches('IA32_VMX_BASIC', VMX_BASIC.fields, /^TRUE/)),
};
