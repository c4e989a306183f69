import { CR0, CR4, fault } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { bootedMachine, rootMachine } from './support/machine.js';

const bit = (number: number) => 1n << BigInt(number);
const refusedBy = (rule: string) => fault('#GP', { errorCode: 0, rule });

describe('in VMX operation', () => {
  it('CR4.VMXE cannot be cleared', () => {
    const cpu = rootMachine().processor(0);
    const value = cpu.read('CR4') & ~bit(CR4.bits.VMXE);
    expect(cpu.movToCr4(value)).toEqual(refusedBy('vmx.operation.cr4-fixed'));
  });

  it('CR0.NE cannot be cleared', () => {
    const cpu = rootMachine().processor(0);
    expect(cpu.movToCr0(cpu.read('CR0') & ~bit(CR0.bits.NE))).toEqual(refusedBy('vmx.operation.cr0-fixed'));
  });

  it('CR0.PG cannot be cleared', () => {
    const cpu = rootMachine().processor(0);
    expect(cpu.movToCr0(cpu.read('CR0') & ~bit(CR0.bits.PG))).toMatchObject({ vector: '#GP', errorCode: 0 });
  });

  it('a bit of CR4 that IA32_VMX_CR4_FIXED1 lacks cannot be set', () => {
    const cpu = rootMachine().processor(0);
    cpu.set('IA32_VMX_CR4_FIXED1', cpu.read('IA32_VMX_CR4_FIXED1') & ~bit(CR4.bits.SMEP));
    expect(cpu.movToCr4(cpu.read('CR4') | bit(CR4.bits.SMEP))).toEqual(refusedBy('vmx.operation.cr4-fixed'));
  });

  it('the other bits can be changed', () => {
    const cpu = rootMachine().processor(0);
    expect(cpu.movToCr4(cpu.read('CR4') | bit(CR4.bits.TSD))).toEqual({ kind: 'completed' });
    expect(cpu.movToCr0(cpu.read('CR0') & ~bit(CR0.bits.WP))).toEqual({ kind: 'completed' });
  });

  it('the registers can be read', () => {
    const cpu = rootMachine().processor(0);
    expect(cpu.movFromCr4()).toEqual({ kind: 'completed', value: cpu.read('CR4') });
  });
});

describe('outside VMX operation', () => {
  it('CR4.VMXE can be set and cleared, whatever IA32_FEATURE_CONTROL says', () => {
    const cpu = bootedMachine({ CR4: { VMXE: 0 }, IA32_FEATURE_CONTROL: 0n }).processor(0);
    expect(cpu.movToCr4(cpu.read('CR4') | bit(CR4.bits.VMXE))).toEqual({ kind: 'completed' });
    expect(cpu.movToCr4(cpu.read('CR4') & ~bit(CR4.bits.VMXE))).toEqual({ kind: 'completed' });
  });

  it('nothing is fixed after VMXOFF', () => {
    const cpu = rootMachine().processor(0);
    cpu.vmxoff();
    expect(cpu.movToCr0(cpu.read('CR0') & ~bit(CR0.bits.NE))).toEqual({ kind: 'completed' });
  });

  it('nothing is fixed on another logical processor', () => {
    const cpu = rootMachine().processor(1);
    expect(cpu.movToCr0(cpu.read('CR0') & ~bit(CR0.bits.NE))).toEqual({ kind: 'completed' });
  });
});
