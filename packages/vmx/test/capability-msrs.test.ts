import { createMachine, findProfile, longMode } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { VMX_BASIC, VMX_EPT_VPID_CAP, VMX_MISC, VMX_VMCS_ENUM } from '../src/capability-bits.js';
import { allowsOne, CAPABILITY_MSRS, type CapabilityMsr } from '../src/capability-msrs.js';
import { FEATURE_CONTROL_MSRS } from '../src/feature-control.js';
import { Entry, Secondary, Tertiary, vmx } from '../src/index.js';
import { shownCapability } from '../src/modelled-capabilities.js';
import { MSR_ENTRIES } from './support/inventory.js';
import { bootedMachine } from './support/machine.js';

const MSRS = { ...CAPABILITY_MSRS, ...FEATURE_CONTROL_MSRS };
const capabilities = Object.entries(CAPABILITY_MSRS);
const layouts = {
  IA32_VMX_BASIC: VMX_BASIC,
  IA32_VMX_MISC: VMX_MISC,
  IA32_VMX_VMCS_ENUM: VMX_VMCS_ENUM,
  IA32_VMX_EPT_VPID_CAP: VMX_EPT_VPID_CAP,
} as const;

const GP0 = { kind: 'fault', vector: '#GP', errorCode: 0 } as const;

/** A machine whose profile has other values of some MSRs. */
function machineWith(msrs: Readonly<Record<number, bigint>>) {
  const profile = findProfile('intel-server');
  return createMachine({
    profile: { ...profile, msrs: { ...profile.msrs, ...msrs } },
    plugins: [vmx],
    boot: longMode(),
  });
}

describe('the capability MSRs', () => {
  it('are those of the inventory, at its addresses', () => {
    const mine = Object.entries(MSRS).map(([name, { address }]) => [name, address]);
    const wanted = MSR_ENTRIES.map(({ name, address }) => [name, Number(address)]);
    expect(mine.toSorted()).toEqual(wanted.toSorted());
  });

  it.each(Object.entries(layouts))('have the fields of %s where the inventory has them', (name, layout) => {
    const bits = MSR_ENTRIES.find((entry) => entry.name === name)?.layout.map((field) => field.bits) ?? [];
    const reserved = name === 'IA32_VMX_BASIC' ? ['31'] : name === 'IA32_VMX_VMCS_ENUM' ? ['0'] : [];
    expect(Object.values(layout.fields)).toEqual(bits.filter((each) => !reserved.includes(each)));
  });

  it.each(capabilities)('%s reads as the machine shows it, and cannot be written', (name, { address }) => {
    const machine = bootedMachine();
    const cpu = machine.processor(0);
    expect(cpu.rdmsr(address)).toEqual({
      kind: 'completed',
      value: shownCapability(machine.definition.profile, name as CapabilityMsr),
    });
    expect(cpu.wrmsr(address, 0n)).toMatchObject(GP0);
  });

  it('of controls that cannot be activated do not exist', () => {
    const secondary = 0xfffb_fffe_0401_e172n & ~(1n << 63n) & ~(1n << 49n);
    const cpu = machineWith({ [0x482]: secondary }).processor(0);
    for (const address of [0x48b, 0x48c, 0x491, 0x492]) expect(cpu.rdmsr(address)).toMatchObject(GP0);
    expect(cpu.rdmsr(0x493)).toMatchObject({ kind: 'completed' });
  });

  it('with TRUE in their name exist with IA32_VMX_BASIC[55]', () => {
    const cpu = machineWith({ [0x480]: 0x0058_0500_0000_0013n }).processor(0);
    for (const address of [0x48d, 0x48e, 0x48f, 0x490]) expect(cpu.rdmsr(address)).toMatchObject(GP0);
  });

  it('do not exist on a processor without VMX', () => {
    const profile = findProfile('intel-server');
    const cpuid = profile.cpuid.map((row) => (row.leaf === 1 ? { ...row, ecx: row.ecx & ~(1 << 5) } : row));
    const machine = createMachine({ profile: { ...profile, cpuid }, plugins: [vmx], boot: longMode() });
    for (const { address } of Object.values(MSRS)) expect(machine.processor(0).rdmsr(address)).toMatchObject(GP0);
    const VMXE = 1n << 13n;
    expect(machine.processor(0).movToCr4(machine.processor(0).read('CR4') | VMXE)).toMatchObject(GP0);
  });
});

describe('a control', () => {
  it('may be 1 where the upper half of its MSR says so', () => {
    expect(allowsOne(findProfile('intel-emerald-rapids'), Secondary['VMCS shadowing'])).toBe(true);
    expect(allowsOne(findProfile('intel-sapphire-rapids'), Secondary['VMCS shadowing'])).toBe(false);
    expect(allowsOne(findProfile('intel-server'), Entry['load FRED'])).toBe(false);
  });

  it('of a word of 64 may be 1 where the MSR has a 1', () => {
    expect(allowsOne(findProfile('intel-server'), Tertiary['enable HLAT'])).toBe(true);
    expect(allowsOne(findProfile('intel-server'), Tertiary['LOADIWKEY exiting'])).toBe(false);
  });
});

it('shows CPUID.1:ECX.VMX only with the plugin', () => {
  const VMX = 1n << 5n;
  const ecx = (plugins: readonly (typeof vmx)[]) => {
    const cpu = createMachine({ profile: 'intel-server', plugins, boot: longMode() }).processor(0);
    cpu.cpuid(1, 0);
    return cpu.read('RCX') & VMX;
  };
  expect(ecx([vmx])).toBe(VMX);
  expect(ecx([])).toBe(0n);
});

it('refuses a processor of AMD', () => {
  expect(() => createMachine({ profile: 'amd-server', plugins: [vmx] })).toThrow(/Intel/);
});
