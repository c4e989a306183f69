import { fault } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { NO_VMCS, vmFailInvalid, vmFailValid, vmSucceed, vmxProcessorIn } from '../../src/index.js';
import {
  bootedMachine,
  REVISION,
  readValue,
  rootMachine,
  statusFlags,
  VMCS,
  VMXON_REGION,
  VMXON_REGIONS,
  writeValue,
} from '../support/machine.js';

describe('VMXON', () => {
  it('puts the logical processor in VMX root operation with no current VMCS', () => {
    const machine = bootedMachine();
    expect(machine.processor(0).vmxon(VMXON_REGION)).toEqual(vmSucceed());
    expect(vmxProcessorIn(machine.state, 0)).toEqual({
      inVmxOperation: true,
      vmxonPointer: VMXON_REGION,
      currentVmcs: NO_VMCS,
    });
  });

  it('gives the other logical processor nothing', () => {
    const machine = bootedMachine();
    machine.processor(0).vmxon(VMXON_REGION);
    expect(machine.processor(1).vmptrst()).toEqual(fault('#UD', { rule: 'vmx.vmptrst.not-in-vmx' }));
    expect(machine.processor(1).vmxon(VMXON_REGIONS[1])).toEqual(vmSucceed());
  });

  it('clears CF, PF, AF, ZF, SF and OF', () => {
    const cpu = bootedMachine().processor(0);
    cpu.set('RFLAGS', 0x8d7n);
    cpu.vmxon(VMXON_REGION);
    expect(statusFlags(cpu.read('RFLAGS'))).toBe('');
  });

  it('takes #UD while CR4.VMXE is 0', () => {
    const cpu = bootedMachine({ CR4: { VMXE: 0 } }).processor(0);
    expect(cpu.vmxon(VMXON_REGION)).toEqual(fault('#UD', { rule: 'vmx.vmxon.cr4-vmxe' }));
  });

  it('takes #GP(0) while CR0.NE is 0', () => {
    const cpu = bootedMachine({ CR0: { NE: 0 } }).processor(0);
    expect(cpu.vmxon(VMXON_REGION)).toEqual(fault('#GP', { errorCode: 0, rule: 'vmx.vmxon.cr0-fixed' }));
  });

  it.each([
    [0n, 'feature-control-lock'],
    [4n, 'feature-control-lock'],
    [1n, 'feature-control-nonsmx'],
  ])('takes #GP(0) with IA32_FEATURE_CONTROL = %i', (value, check) => {
    const cpu = bootedMachine({ IA32_FEATURE_CONTROL: value }).processor(0);
    expect(cpu.vmxon(VMXON_REGION)).toEqual(fault('#GP', { errorCode: 0, rule: `vmx.vmxon.${check}` }));
  });

  it.each([
    ['a pointer that is not 4-KByte aligned', VMXON_REGION + 8n, 'align'],
    ['a linear address, beyond the physical-address width', 0xffff_8000_0020_0000n, 'width'],
    ['a region outside memory, which reads as ones', 0x1000_0000n, 'revision'],
    ['a zeroed region', 0x23_0000n, 'revision'],
  ])('is VMfailInvalid with %s', (_what, pointer, check) => {
    const cpu = bootedMachine().processor(0);
    cpu.set('RFLAGS', 0x8d7n);
    expect(cpu.vmxon(pointer)).toEqual(vmFailInvalid({ rule: `vmx.vmxon.${check}` }));
    expect(statusFlags(cpu.read('RFLAGS'))).toBe('CF');
  });

  it('is VMfailInvalid with the identifier of a shadow VMCS', () => {
    const machine = bootedMachine();
    writeValue(machine, VMXON_REGION, 4, REVISION | 0x8000_0000n);
    expect(machine.processor(0).vmxon(VMXON_REGION)).toEqual(vmFailInvalid({ rule: 'vmx.vmxon.revision-bit31' }));
  });

  it('does not take an address over 32 bits where IA32_VMX_BASIC[48] limits them', () => {
    const cpu = bootedMachine().processor(0);
    cpu.set('IA32_VMX_BASIC', cpu.read('IA32_VMX_BASIC') | (1n << 48n));
    expect(cpu.vmxon(1n << 32n)).toEqual(vmFailInvalid({ rule: 'vmx.vmxon.width' }));
  });

  it('is VMfail(15) in VMX root operation: VMfailInvalid without a current VMCS', () => {
    const cpu = bootedMachine().processor(0);
    cpu.vmxon(VMXON_REGION);
    expect(cpu.vmxon(VMXON_REGION)).toEqual(vmFailInvalid({ rule: 'vmx.vmxon.root-vmfail' }));
  });

  it('is VMfail(15) in VMX root operation: VMfailValid with one, which takes the number', () => {
    const machine = rootMachine();
    const cpu = machine.processor(0);
    expect(cpu.vmxon(VMXON_REGION)).toEqual(vmFailValid(15, { rule: 'vmx.vmxon.root-vmfail' }));
    expect(statusFlags(cpu.read('RFLAGS'))).toBe('ZF');
    expect(cpu.vmread(0x4400n)).toEqual(vmSucceed({ value: 15n }));
  });

  it('leaves the VMXON region as it is', () => {
    const machine = rootMachine();
    expect(readValue(machine, VMXON_REGION, 8)).toBe(REVISION);
    expect(readValue(machine, VMCS, 4)).toBe(REVISION);
  });
});
