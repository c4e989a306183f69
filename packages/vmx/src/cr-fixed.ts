// Bits of CR0 and CR4 that VMX operation fixes (SDM, "Restrictions on VMX Operation"): IA32_VMX_CRn_FIXED0 has the bits
// that must be 1, IA32_VMX_CRn_FIXED1 lacks those that must be 0. VMXON refuses other values, and so does every write
// to the registers from then on; that CR4.VMXE cannot be cleared follows.
import {
  type ControlRegisterAccess,
  type Cpu,
  CR0,
  CR4,
  type FaultExplanation,
  GP,
  type RegisterBitExtension,
  raise,
  sdm,
} from '@retrovisor/core';
import { hasVmx } from './capability-msrs.js';
import { isInVmxOperation } from './vmx-operation.js';

type FixedRegister = 'CR0' | 'CR4';
const BITS: Readonly<Record<FixedRegister, Readonly<Record<string, number>>>> = { CR0: CR0.bits, CR4: CR4.bits };

/** The bits of a value that VMX operation does not allow, as a mask. */
export function fixedBitsViolated(cpu: Cpu, register: FixedRegister, value: bigint): bigint {
  const mustBeOne = cpu.read(`IA32_VMX_${register}_FIXED0`);
  const mayBeOne = cpu.read(`IA32_VMX_${register}_FIXED1`);
  return (mustBeOne & ~value) | (value & ~mayBeOne);
}

/** The locations behind a violation: the bits to blame, by name where they have one, and the two MSRs. */
export function fixedBitFields(cpu: Cpu, register: FixedRegister, value: bigint): readonly string[] {
  const violated = fixedBitsViolated(cpu, register, value);
  const named = Object.keys(BITS[register]).filter((bit) => (violated >> BigInt(BITS[register][bit] ?? 0)) & 1n);
  const bits = named.length === 0 ? [register] : named.map((bit) => `${register}.${bit}`);
  return [...bits, `IA32_VMX_${register}_FIXED0`, `IA32_VMX_${register}_FIXED1`];
}

const explanation = (register: FixedRegister): FaultExplanation => ({
  manual: sdm('Restrictions on VMX Operation'),
  explain: `In VMX operation ${register} keeps the bits that IA32_VMX_${register}_FIXED0 and FIXED1 fix: VMXOFF first.`,
  fields: [register, `IA32_VMX_${register}_FIXED0`, `IA32_VMX_${register}_FIXED1`],
});

/** By rule id: what a write in VMX operation must leave as it is. */
export const FIXED_BITS = {
  'vmx.operation.cr0-fixed': explanation('CR0'),
  'vmx.operation.cr4-fixed': explanation('CR4'),
} as const satisfies Readonly<Record<string, FaultExplanation>>;

export const FIXED_BIT_RULES: Readonly<Record<FixedRegister, keyof typeof FIXED_BITS>> = {
  CR0: 'vmx.operation.cr0-fixed',
  CR4: 'vmx.operation.cr4-fixed',
};

/** Intercept: raises #GP(0) for a write of CR0 or CR4 that VMX operation does not allow. */
export function refuseFixedBits(cpu: Cpu, { register, write, value }: ControlRegisterAccess): void {
  if (!write || (register !== 'CR0' && register !== 'CR4') || !isInVmxOperation(cpu)) return;
  if (fixedBitsViolated(cpu, register, value) !== 0n) raise(GP(0), FIXED_BIT_RULES[register]);
}

/** CR4.VMXE may be set where the processor has VMX; IA32_FEATURE_CONTROL has no say in it. */
export const CR4_VMXE: RegisterBitExtension = { register: 'CR4', name: 'VMXE', bit: CR4.bits.VMXE, existsWhen: hasVmx };
