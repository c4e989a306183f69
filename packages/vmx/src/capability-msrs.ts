// The VMX capability MSRs (SDM, "VMX Capability Reporting Facility"): addresses, when they exist, and what they allow.
// The values are the profile's; nothing writes them.
import { lookUpCpuid, type MsrDefinition, type ProcessorProfile, sdm } from '@retrovisor/core';
import { VMX_BASIC } from './capability-bits.js';
import { type Control, Exit, Primary, Secondary } from './controls.js';

/** CPUID.1:ECX.VMX. */
export const CPUID_VMX = { leaf: 1, register: 'ecx', mask: 1 << 5 } as const;

/** Whether the processor has VMX. */
export function hasVmx(profile: ProcessorProfile): boolean {
  return (lookUpCpuid(profile, CPUID_VMX.leaf, 0)[CPUID_VMX.register] & CPUID_VMX.mask) !== 0;
}

type Existence = (profile: ProcessorProfile) => boolean;

const hasTrueMsrs: Existence = (profile) => basic(profile, 'TRUE capability MSRs') === 1;
const hasEptOrVpid: Existence = (profile) =>
  allowsOne(profile, Secondary['enable EPT']) || allowsOne(profile, Secondary['enable VPID']);
const mayBeOne =
  (control: Control): Existence =>
  (profile) =>
    allowsOne(profile, control);

/** One row an MSR in the order of addresses; without a condition it exists on every processor with VMX. */
const ROWS = {
  IA32_VMX_BASIC: { address: 0x480 },
  IA32_VMX_PINBASED_CTLS: { address: 0x481 },
  IA32_VMX_PROCBASED_CTLS: { address: 0x482 },
  IA32_VMX_EXIT_CTLS: { address: 0x483 },
  IA32_VMX_ENTRY_CTLS: { address: 0x484 },
  IA32_VMX_MISC: { address: 0x485 },
  IA32_VMX_CR0_FIXED0: { address: 0x486 },
  IA32_VMX_CR0_FIXED1: { address: 0x487 },
  IA32_VMX_CR4_FIXED0: { address: 0x488 },
  IA32_VMX_CR4_FIXED1: { address: 0x489 },
  // Too low on server cores since Skylake, which have fields with higher indices: nothing is derived from it.
  IA32_VMX_VMCS_ENUM: { address: 0x48a },
  IA32_VMX_PROCBASED_CTLS2: { address: 0x48b, existsWhen: mayBeOne(Primary['activate secondary controls']) },
  IA32_VMX_EPT_VPID_CAP: { address: 0x48c, existsWhen: hasEptOrVpid },
  IA32_VMX_TRUE_PINBASED_CTLS: { address: 0x48d, existsWhen: hasTrueMsrs },
  IA32_VMX_TRUE_PROCBASED_CTLS: { address: 0x48e, existsWhen: hasTrueMsrs },
  IA32_VMX_TRUE_EXIT_CTLS: { address: 0x48f, existsWhen: hasTrueMsrs },
  IA32_VMX_TRUE_ENTRY_CTLS: { address: 0x490, existsWhen: hasTrueMsrs },
  IA32_VMX_VMFUNC: { address: 0x491, existsWhen: mayBeOne(Secondary['enable VM functions']) },
  IA32_VMX_PROCBASED_CTLS3: { address: 0x492, existsWhen: mayBeOne(Primary['activate tertiary controls']) },
  IA32_VMX_EXIT_CTLS2: { address: 0x493, existsWhen: mayBeOne(Exit['activate secondary controls']) },
} as const satisfies Record<string, { address: number; existsWhen?: Existence }>;

/** The address of a capability MSR. */
export const capabilityAddress = (name: CapabilityMsr): number => ROWS[name].address;

/** The name of a capability MSR. */
export type CapabilityMsr = keyof typeof ROWS;

const TABLE: Readonly<Record<string, { readonly address: number; readonly existsWhen?: Existence }>> = ROWS;

/** The capability MSRs for definePlugin: absent `reset` means the profile's value. */
export const CAPABILITY_MSRS: Readonly<Record<string, MsrDefinition>> = Object.fromEntries(
  Object.entries(TABLE).map(([name, { address, existsWhen = () => true }]) => [
    name,
    {
      address,
      readOnly: true,
      existsWhen: (profile: ProcessorProfile) => hasVmx(profile) && existsWhen(profile),
      manual: sdm('VMX Capability Reporting Facility'),
    },
  ]),
);

/**
 * The value of a capability MSR on a processor; 0, which allows nothing, where it does not exist.
 * @example capability(findProfile('intel-server'), 'IA32_VMX_BASIC') & 0x7fff_ffffn // the revision identifier
 */
export function capability(profile: ProcessorProfile, name: string): bigint {
  const row = TABLE[name];
  if (row === undefined || row.existsWhen?.(profile) === false) return 0n;
  return profile.msrs[row.address] ?? 0n;
}

/** A field of IA32_VMX_BASIC. */
export function basic(profile: ProcessorProfile, field: Parameters<typeof VMX_BASIC.read>[1]): number {
  return VMX_BASIC.read(capability(profile, 'IA32_VMX_BASIC'), field);
}

/**
 * Whether software may set a control to 1. The TRUE MSRs report the same 1-settings: they differ in what may be 0.
 * @example allowsOne(findProfile('intel-sapphire-rapids'), Secondary['VMCS shadowing']) // false
 */
export function allowsOne(profile: ProcessorProfile, { bit, group }: Control): boolean {
  const allowed = capability(profile, group.capability);
  const settings = group.format === 'allowed 1-settings' ? allowed : allowed >> 32n;
  return ((settings >> BigInt(bit)) & 1n) === 1n;
}
