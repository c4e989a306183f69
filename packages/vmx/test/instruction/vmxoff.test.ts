import { fault } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { NO_VMCS, vmSucceed, vmxMachineIn, vmxProcessorIn } from '../../src/index.js';
import { bootedMachine, rootMachine, VMCS, VMXON_REGION } from '../support/machine.js';

describe('VMXOFF', () => {
  it('leaves VMX operation', () => {
    const machine = rootMachine();
    const cpu = machine.processor(0);
    cpu.vmclear(VMCS);
    expect(cpu.vmxoff()).toEqual(vmSucceed());
    expect(vmxProcessorIn(machine.state, 0)).toEqual({
      inVmxOperation: false,
      vmxonPointer: NO_VMCS,
      currentVmcs: NO_VMCS,
    });
    expect(vmxMachineIn(machine.state)).toEqual({ regions: {} });
  });

  it('is #UD on a logical processor that is not in VMX operation', () => {
    const machine = rootMachine();
    expect(machine.processor(1).vmxoff()).toEqual(fault('#UD', { rule: 'vmx.vmxoff.not-in-vmx' }));
    expect(bootedMachine().processor(0).vmxoff()).toEqual(fault('#UD', { rule: 'vmx.vmxoff.not-in-vmx' }));
  });

  it('lets VMXON enter again, and what was in a VMCS stay in memory', () => {
    const cpu = rootMachine().processor(0);
    cpu.vmwrite(0x681en, 0x1234n);
    cpu.vmclear(VMCS);
    cpu.vmxoff();
    expect(cpu.vmxon(VMXON_REGION)).toEqual(vmSucceed());
    cpu.vmptrld(VMCS);
    expect(cpu.vmread(0x681en)).toEqual(vmSucceed({ value: 0x1234n }));
  });
});
