import { createMachine, fault, longMode } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { vmx } from '../src/index.js';

const IA32_FEATURE_CONTROL = 0x3a;
const IA32_SMM_MONITOR_CTL = 0x9b;
const bootedCpu = () => createMachine({ profile: 'intel-server', plugins: [vmx], boot: longMode() }).processor(0);

describe('IA32_FEATURE_CONTROL', () => {
  it('is clear after RESET', () => {
    expect(bootedCpu().rdmsr(IA32_FEATURE_CONTROL)).toEqual({ kind: 'completed', value: 0n });
  });

  it('can be written until it is locked', () => {
    const cpu = bootedCpu();
    expect(cpu.wrmsr(IA32_FEATURE_CONTROL, 4n)).toEqual({ kind: 'completed' });
    expect(cpu.wrmsr(IA32_FEATURE_CONTROL, 5n)).toEqual({ kind: 'completed' });
    const refused = fault('#GP', { errorCode: 0, rule: 'vmx.feature-control.locked' });
    expect(cpu.wrmsr(IA32_FEATURE_CONTROL, 5n)).toEqual(refused);
    expect(cpu.rdmsr(IA32_FEATURE_CONTROL)).toEqual({ kind: 'completed', value: 5n });
  });

  it.each([1, 3, 8, 15, 17, 18, 20, 63])('has bit %i reserved: its feature is not reported', (bit) => {
    expect(bootedCpu().wrmsr(IA32_FEATURE_CONTROL, 1n << BigInt(bit))).toMatchObject({ vector: '#GP', errorCode: 0 });
  });

  it('belongs to each logical processor', () => {
    const machine = createMachine({ profile: 'intel-server', processors: 2, plugins: [vmx], boot: longMode() });
    machine.processor(0).wrmsr(IA32_FEATURE_CONTROL, 5n);
    expect(machine.processor(1).read('IA32_FEATURE_CONTROL')).toBe(0n);
  });
});

describe('IA32_SMM_MONITOR_CTL', () => {
  it('reads as 0 and cannot be written outside SMM', () => {
    const cpu = bootedCpu();
    expect(cpu.rdmsr(IA32_SMM_MONITOR_CTL)).toEqual({ kind: 'completed', value: 0n });
    expect(cpu.wrmsr(IA32_SMM_MONITOR_CTL, 0n)).toMatchObject({ vector: '#GP', errorCode: 0 });
  });
});
