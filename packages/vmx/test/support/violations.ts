// For each check of the VMX instructions, how a state that passes all of them is changed to violate it. `before` are
// VMX instructions in a state that is still valid; `violate` changes registers, memory or the operands.
import { findProfile, type ProcessorProfile } from '@retrovisor/core';
import { guestFields, writeFields } from './guest.js';
import { readValue, VMCS, VMXON_REGION, type VmxMachineUnderTest, writeValue } from './machine.js';

type Operands = readonly bigint[];
type Violate = (machine: VmxMachineUnderTest, operands: Operands) => Operands | undefined;

export interface Violation {
  readonly before?: (machine: VmxMachineUnderTest) => void;
  readonly violate?: Violate;
  /** Checks that cannot hold when this one does not. */
  readonly implies?: readonly string[];
  /** Another profile than intel-server. */
  readonly profile?: string | ProcessorProfile;
  /** The operand is in a register. */
  readonly inRegister?: true;
}

/** Write-back, four levels, accessed and dirty flags. */
export const EPTP = 0x30_005en;

/** IA32_VMX_EPT_VPID_CAP without some of its bits. */
function withoutCapabilities(mask: bigint): ProcessorProfile {
  const profile = findProfile('intel-server');
  return { ...profile, msrs: { ...profile.msrs, [0x48c]: (profile.msrs[0x48c] ?? 0n) & ~mask } };
}

interface Passing {
  readonly inRoot: boolean;
  readonly operands: Operands;
  readonly before?: (machine: VmxMachineUnderTest) => void;
  /** The kind of the outcome, if it is not VMsucceed. */
  readonly succeeds?: string;
}

const LAUNCH_STATE = VMCS + 8n;

function describeGuest(machine: VmxMachineUnderTest): void {
  writeFields(machine, guestFields(machine));
}

function describeLaunched(machine: VmxMachineUnderTest): void {
  describeGuest(machine);
  writeValue(machine, LAUNCH_STATE, 4, 2n);
}

/** An instruction in a state that passes, with its operands. */
export const PASSING: Readonly<Record<string, Passing>> = {
  VMLAUNCH: { inRoot: true, operands: [], before: describeGuest, succeeds: 'vmx/VM-entry' },
  VMRESUME: { inRoot: true, operands: [], before: describeLaunched, succeeds: 'vmx/VM-entry' },
  VMXON: { inRoot: false, operands: [VMXON_REGION] },
  VMXOFF: { inRoot: true, operands: [] },
  VMCLEAR: { inRoot: true, operands: [VMCS] },
  VMPTRLD: { inRoot: true, operands: [VMCS] },
  VMPTRST: { inRoot: true, operands: [] },
  VMREAD: { inRoot: true, operands: [0x681en] },
  VMWRITE: { inRoot: true, operands: [0x681en, 1n] },
  INVEPT: { inRoot: true, operands: [1n, EPTP, 0n] },
  INVVPID: { inRoot: true, operands: [0n, 1n, 0x1000n] },
};

function change(register: string, recipe: (value: bigint) => bigint): Violate {
  return (machine) => {
    const cpu = machine.processor(0);
    cpu.set(register, recipe(cpu.read(register)));
    return undefined;
  };
}

const onPointer =
  (recipe: (pointer: bigint) => bigint): Violate =>
  (_machine, [pointer = 0n]) => [recipe(pointer)];

/** Changes the first doubleword of the region. */
const onRegion =
  (recipe: (value: bigint) => bigint): Violate =>
  (machine, [pointer = 0n]) => {
    writeValue(machine, pointer, 4, recipe(readValue(machine, pointer, 4)));
    return undefined;
  };

/** Replaces the operand at an index. */
const onOperand =
  (index: number, value: bigint): Violate =>
  (_machine, operands) =>
    operands.with(index, value);

const SHARED: Readonly<Record<string, Violation>> = {
  'register-operand': { inRegister: true },
  'not-in-vmx': { before: (machine) => machine.processor(0).vmxoff() },
  pe: { violate: change('CR0', (value) => value & ~1n) },
  v86: { violate: change('RFLAGS', (value) => value | (1n << 17n)) },
  compat: { violate: change('CS.attributes', () => 0xc09bn) },
  cpl: { violate: change('SS.attributes', () => 0xc0f3n) },
  'no-current': { before: (machine) => machine.processor(0).vmclear(VMCS) },
  unsupported: { violate: (_machine, [, ...rest]) => [0x6ffen, ...rest] },
  'align-width': { violate: onPointer((pointer) => pointer + 0x10n) },
  'vmxon-pointer': { violate: onPointer(() => VMXON_REGION) },
  revision: { violate: onRegion((value) => value + 1n) },
  type: { violate: onOperand(0, 4n) },
};

/** What VMLAUNCH and VMRESUME check before the VMCS. */
const entryViolations = (id: string, otherState: bigint): Readonly<Record<string, Violation>> => ({
  [`vmx.${id}.not-in-vmx`]: { ...SHARED['not-in-vmx'], implies: [`vmx.${id}.no-current`] },
  [`vmx.${id}.shadow-vmcs`]: {
    violate: (machine) => {
      writeValue(machine, VMCS, 4, readValue(machine, VMCS, 4) | 0x8000_0000n);
      return undefined;
    },
  },
  [`vmx.${id}.mov-ss`]: { violate: change('interruptShadow', () => 2n) },
  [`vmx.${id}.launch-state`]: {
    violate: (machine) => {
      writeValue(machine, LAUNCH_STATE, 4, otherState);
      return undefined;
    },
  },
});

/** By rule id, or by the check's own part of it. */
const VIOLATIONS: Readonly<Record<string, Violation>> = {
  ...SHARED,
  ...entryViolations('vmlaunch', 2n),
  ...entryViolations('vmresume', 1n),
  'vmx.vmread.not-in-vmx': { ...SHARED['not-in-vmx'], implies: ['vmx.vmread.no-current'] },
  'vmx.vmwrite.not-in-vmx': { ...SHARED['not-in-vmx'], implies: ['vmx.vmwrite.no-current'] },
  'vmx.vmxon.pe': { ...SHARED['pe'], implies: ['vmx.vmxon.cr0-fixed'] },
  'vmx.vmxon.cr4-vmxe': {
    violate: change('CR4', (value) => value & ~(1n << 13n)),
    implies: ['vmx.vmxon.cr4-fixed'],
  },
  'vmx.vmxon.root-vmfail': { before: (machine) => machine.processor(0).vmxon(VMXON_REGION) },
  'vmx.vmxon.cr0-fixed': { violate: change('CR0', (value) => value & ~(1n << 5n)) },
  'vmx.vmxon.cr4-fixed': { violate: change('CR4', (value) => value | (1n << 28n)) },
  'vmx.vmxon.feature-control-lock': { violate: change('IA32_FEATURE_CONTROL', (value) => value & ~1n) },
  'vmx.vmxon.feature-control-nonsmx': { violate: change('IA32_FEATURE_CONTROL', (value) => value & ~4n) },
  'vmx.vmxon.align': { violate: onPointer((pointer) => pointer + 0x800n) },
  'vmx.vmxon.width': { violate: onPointer((pointer) => pointer | (1n << 46n)) },
  'vmx.vmxon.revision-bit31': { violate: onRegion((value) => value | 0x8000_0000n) },
  'vmx.vmptrld.shadow-indicator': {
    profile: 'intel-sapphire-rapids',
    violate: onRegion((value) => value | 0x8000_0000n),
  },
  'vmx.invept.register-operand': { inRegister: true, implies: ['vmx.invept.desc-reserved', 'vmx.invept.eptp'] },
  'vmx.invvpid.register-operand': { inRegister: true, implies: ['vmx.invvpid.vpid-zero'] },
  'vmx.invept.unsupported': { profile: withoutCapabilities(1n << 20n) },
  'vmx.invept.desc-reserved': { violate: onOperand(2, 1n) },
  'vmx.invept.eptp': { violate: onOperand(1, EPTP | 0x100n) },
  'vmx.invvpid.unsupported': { profile: withoutCapabilities(1n << 32n) },
  'vmx.invvpid.desc-reserved': {
    violate: (_machine, [type = 0n, vpid = 0n, ...rest]) => [type, vpid | 0x1_0000n, ...rest],
  },
  'vmx.invvpid.vpid-zero': { violate: (_machine, [type = 0n, vpid = 0n, ...rest]) => [type, vpid & ~0xffffn, ...rest] },
  'vmx.invvpid.noncanonical': { violate: onOperand(2, 1n << 60n) },
  'vmx.vmwrite.read-only': {
    violate: (machine, operands) => {
      change('IA32_VMX_MISC', (value) => value & ~(1n << 29n))(machine, operands);
      return [0x4402n, ...operands.slice(1)];
    },
  },
};

/** How the violation of a rule is made, if it needs no memory operand. */
export function violationOf(id: string): Violation | undefined {
  return VIOLATIONS[id] ?? VIOLATIONS[id.split('.').at(-1) ?? ''];
}

/** Machine code whose memory operand is at DATA or, in the second form, in SS at RSP. */
export interface MemoryForms {
  readonly data: readonly number[];
  readonly stack: readonly number[];
}

/** [RBX] and [RSP]; the field's encoding of VMREAD and VMWRITE and the type of INVEPT and INVVPID are in RAX. */
export const MACHINE_CODE: Readonly<Record<string, MemoryForms>> = {
  VMXON: { data: [0xf3, 0x0f, 0xc7, 0x33], stack: [0xf3, 0x0f, 0xc7, 0x34, 0x24] },
  VMCLEAR: { data: [0x66, 0x0f, 0xc7, 0x33], stack: [0x66, 0x0f, 0xc7, 0x34, 0x24] },
  VMPTRLD: { data: [0x0f, 0xc7, 0x33], stack: [0x0f, 0xc7, 0x34, 0x24] },
  VMPTRST: { data: [0x0f, 0xc7, 0x3b], stack: [0x0f, 0xc7, 0x3c, 0x24] },
  VMREAD: { data: [0x0f, 0x78, 0x03], stack: [0x0f, 0x78, 0x04, 0x24] },
  VMWRITE: { data: [0x0f, 0x79, 0x03], stack: [0x0f, 0x79, 0x04, 0x24] },
  INVEPT: { data: [0x66, 0x0f, 0x38, 0x80, 0x03], stack: [0x66, 0x0f, 0x38, 0x80, 0x04, 0x24] },
  INVVPID: { data: [0x66, 0x0f, 0x38, 0x81, 0x03], stack: [0x66, 0x0f, 0x38, 0x81, 0x04, 0x24] },
};
