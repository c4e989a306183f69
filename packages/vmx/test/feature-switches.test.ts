import { createMachine, longMode } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { VMX_EPT_VPID_CAP, VMX_MISC } from '../src/capability-bits.js';
import { type Control, Entry, Exit, PinBased, Primary, Secondary, Tertiary } from '../src/controls.js';
import { VMX_FEATURES } from '../src/feature-switches.js';
import { allowsOne, capability, fieldNamed, vmFailValid, vmSucceed, vmx } from '../src/index.js';
import { bootedMachine, rootMachine, VMXON_REGION, writeValue } from './support/machine.js';

const profileOf = (text: string) =>
  createMachine({ profile: text, plugins: [vmx], boot: longMode() }).definition.profile;

describe('a machine without a feature', () => {
  it.each([
    ['enable VPID', Secondary['enable VPID']],
    ['virtual NMIs', PinBased['virtual NMIs']],
    ['use MSR bitmaps', Primary['use MSR bitmaps']],
    ['enable HLAT', Tertiary['enable HLAT']],
    ['load IA32_EFER', Entry['load IA32_EFER']],
    ['load IA32_EFER', Exit['load IA32_EFER']],
  ] as readonly [string, Control][])('does not allow %s to be 1', (name, control) => {
    expect(allowsOne(profileOf('intel-server'), control)).toBe(true);
    expect(allowsOne(profileOf(`intel-server,-${name}`), control)).toBe(false);
  });

  it('reports the same in the TRUE capability MSRs', () => {
    const profile = profileOf('intel-server,-use MSR bitmaps');
    expect(capability(profile, 'IA32_VMX_TRUE_PROCBASED_CTLS') >> 32n).toBe(
      capability(profile, 'IA32_VMX_PROCBASED_CTLS') >> 32n,
    );
  });

  it('lacks with EPT all that needs it', () => {
    const profile = profileOf('intel-server,-enable EPT');
    for (const name of ['unrestricted guest', 'enable PML', 'enable VM functions'] as const) {
      expect(allowsOne(profile, Secondary[name])).toBe(false);
    }
    expect(allowsOne(profile, Secondary['enable VPID'])).toBe(true);
    expect(capability(profile, 'IA32_VMX_VMFUNC')).toBe(0n);
  });

  it('has neither the fields nor the MSRs that belong to it', () => {
    const machine = rootMachine({ profile: 'intel-server,-enable EPT,-enable VPID' });
    const cpu = machine.processor(0);
    expect(cpu.vmread(fieldNamed('EPT pointer (EPTP)').encoding)).toEqual(
      vmFailValid(12, { rule: 'vmx.vmread.unsupported' }),
    );
    expect(cpu.rdmsr(0x48c)).toMatchObject({ kind: 'fault', vector: '#GP' });
  });

  it('may lack the TRUE capability MSRs, activity states, parts of EPT, and VMX', () => {
    expect(capability(profileOf('intel-server,-TRUE capability MSRs'), 'IA32_VMX_TRUE_ENTRY_CTLS')).toBe(0n);
    const noHlt = capability(profileOf('intel-server,-activity state HLT'), 'IA32_VMX_MISC');
    expect(VMX_MISC.read(noHlt, 'activity state HLT')).toBe(0);
    const flat = capability(profileOf('intel-server,-1-GByte pages'), 'IA32_VMX_EPT_VPID_CAP');
    expect(VMX_EPT_VPID_CAP.read(flat, '1-GByte pages')).toBe(0);
    expect(capability(profileOf('intel-server'), 'IA32_VMX_BASIC')).not.toBe(0n);
    const without = createMachine({ profile: 'intel-server,-VMX', plugins: [vmx], boot: longMode() });
    expect(without.processor(0).rdmsr(0x480)).toMatchObject({ kind: 'fault', vector: '#GP' });
  });

  it('changes nothing else', () => {
    const before = profileOf('intel-server');
    for (const [name, switchOff] of Object.entries(VMX_FEATURES)) {
      const after = switchOff(before);
      expect([name, after.physicalAddressWidth, after.name]).toEqual([name, before.physicalAddressWidth, before.name]);
      expect(switchOff(after)).toEqual(after);
    }
  });
});

it('enters VMX operation on a processor of the first generation, with its revision identifier', () => {
  const machine = bootedMachine({ profile: 'intel-conroe' });
  writeValue(machine, VMXON_REGION, 4, 7n);
  expect(machine.processor(0).vmxon(VMXON_REGION)).toEqual(vmSucceed());
});
