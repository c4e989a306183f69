import { describe, expect, it } from 'vitest';
import { LAUNCH_STATE, NO_VMCS, REGION_HEADER, vmFailInvalid, vmFailValid, vmSucceed } from '../../src/index.js';
import { OTHER_VMCS, readValue, rootMachine, VMCS, VMXON_REGION, writeValue } from '../support/machine.js';

const launchState = VMCS + BigInt(REGION_HEADER['launch state']);

describe('VMCLEAR', () => {
  it('sets the launch state of the VMCS to clear', () => {
    const machine = rootMachine();
    writeValue(machine, launchState, 4, LAUNCH_STATE.launched);
    expect(machine.processor(0).vmclear(VMCS)).toEqual(vmSucceed());
    expect(readValue(machine, launchState, 4)).toBe(LAUNCH_STATE.clear);
  });

  it('makes the current-VMCS pointer invalid if it is the same', () => {
    const cpu = rootMachine().processor(0);
    cpu.vmclear(VMCS);
    expect(cpu.vmptrst()).toEqual(vmSucceed({ value: NO_VMCS }));
  });

  it('leaves another current VMCS current', () => {
    const cpu = rootMachine().processor(0);
    cpu.vmclear(OTHER_VMCS);
    expect(cpu.vmptrst()).toEqual(vmSucceed({ value: VMCS }));
  });

  it('does not check the revision identifier', () => {
    const machine = rootMachine();
    writeValue(machine, OTHER_VMCS, 4, 0x7777n);
    expect(machine.processor(0).vmclear(OTHER_VMCS)).toEqual(vmSucceed());
  });

  it.each([VMCS + 1n, 1n << 46n, 1n << 63n])('is VMfail(2) with the pointer %#x', (pointer) => {
    const cpu = rootMachine().processor(0);
    expect(cpu.vmclear(pointer)).toEqual(vmFailValid(2, { rule: 'vmx.vmclear.align-width' }));
  });

  it('is VMfail(3) with the VMXON pointer', () => {
    const cpu = rootMachine().processor(0);
    expect(cpu.vmclear(VMXON_REGION)).toEqual(vmFailValid(3, { rule: 'vmx.vmclear.vmxon-pointer' }));
  });

  it('is VMfailInvalid instead without a current VMCS', () => {
    const cpu = rootMachine().processor(0);
    cpu.vmclear(VMCS);
    expect(cpu.vmclear(VMXON_REGION)).toEqual(vmFailInvalid({ rule: 'vmx.vmclear.vmxon-pointer' }));
  });
});
