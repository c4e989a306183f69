import { describe, expect, it } from 'vitest';
import { vmFailValid, vmSucceed, vmxMachineIn } from '../../src/index.js';
import {
  OTHER_VMCS,
  REVISION,
  rootMachine,
  VMCS,
  VMXON_REGION,
  VMXON_REGIONS,
  writeValue,
} from '../support/machine.js';

const SHADOW = REVISION | 0x8000_0000n;

describe('VMPTRLD', () => {
  it('makes the VMCS current and active', () => {
    const machine = rootMachine();
    const cpu = machine.processor(0);
    cpu.vmclear(OTHER_VMCS);
    expect(cpu.vmptrld(OTHER_VMCS)).toEqual(vmSucceed());
    expect(cpu.vmptrst()).toEqual(vmSucceed({ value: OTHER_VMCS }));
  });

  it('leaves the VMCS that was current active', () => {
    const machine = rootMachine();
    const cpu = machine.processor(0);
    cpu.vmclear(OTHER_VMCS);
    cpu.vmptrld(OTHER_VMCS);
    const uses = Object.values(vmxMachineIn(machine.state)?.regions ?? {}).flat();
    expect(uses.filter(({ as }) => as === 'active VMCS')).toHaveLength(2);
  });

  it('loads on one logical processor what another has cleared', () => {
    const machine = rootMachine();
    const [first, second] = [machine.processor(0), machine.processor(1)];
    first.vmwrite(0x681en, 0x5678n);
    first.vmclear(VMCS);
    second.vmxon(VMXON_REGIONS[1]);
    expect(second.vmptrld(VMCS)).toEqual(vmSucceed());
    expect(second.vmread(0x681en)).toEqual(vmSucceed({ value: 0x5678n }));
  });

  it('stores the error of a failure in the VMCS that was current before', () => {
    const cpu = rootMachine().processor(0);
    expect(cpu.vmptrld(VMXON_REGION)).toEqual(vmFailValid(10, { rule: 'vmx.vmptrld.vmxon-pointer' }));
    expect(cpu.vmptrst()).toEqual(vmSucceed({ value: VMCS }));
    expect(cpu.vmread(0x4400n)).toEqual(vmSucceed({ value: 10n }));
  });

  it('is VMfail(9) with an address that is not aligned or too wide', () => {
    const cpu = rootMachine().processor(0);
    expect(cpu.vmptrld(VMCS + 0x10n)).toEqual(vmFailValid(9, { rule: 'vmx.vmptrld.align-width' }));
    expect(cpu.vmptrld(VMCS | (1n << 50n))).toEqual(vmFailValid(9, { rule: 'vmx.vmptrld.align-width' }));
  });

  it('is VMfail(11) with another revision identifier', () => {
    const machine = rootMachine();
    writeValue(machine, OTHER_VMCS, 4, REVISION + 1n);
    expect(machine.processor(0).vmptrld(OTHER_VMCS)).toEqual(vmFailValid(11, { rule: 'vmx.vmptrld.revision' }));
  });

  it('takes a shadow VMCS where the 1-setting of "VMCS shadowing" is allowed', () => {
    const machine = rootMachine({ profile: 'intel-emerald-rapids' });
    machine.processor(0).vmclear(OTHER_VMCS);
    writeValue(machine, OTHER_VMCS, 4, SHADOW);
    expect(machine.processor(0).vmptrld(OTHER_VMCS)).toEqual(vmSucceed());
  });

  it('is VMfail(11) with a shadow VMCS where it is not', () => {
    const machine = rootMachine({ profile: 'intel-sapphire-rapids' });
    writeValue(machine, OTHER_VMCS, 4, SHADOW);
    expect(machine.processor(0).vmptrld(OTHER_VMCS)).toEqual(vmFailValid(11, { rule: 'vmx.vmptrld.shadow-indicator' }));
  });
});
