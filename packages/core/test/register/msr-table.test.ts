// The MSRs that software commonly reads and writes: what is kept, and what is refused.
import { describe, expect, it } from 'vitest';
import { completed, fault } from '../../src/event/outcome.js';
import { bootedMachine } from '../support/booted-machine.js';

const ONES = 2n ** 64n - 1n;
const refused = (rule: string) => fault('#GP', { errorCode: 0, rule: `core.${rule}` });

describe.each(['intel-server', 'amd-server'])('the machine-check MSRs of %s', (profile) => {
  it('are those of ten banks', () => {
    const cpu = bootedMachine({ profile }).processor(0);
    expect(cpu.rdmsr(0x179)).toMatchObject({ value: 0x100_010an });
    expect(cpu.rdmsr(0x427)).toMatchObject({ value: 0n });
    expect(cpu.rdmsr(0x428)).toEqual(refused('rdmsr.address'));
    expect(cpu.wrmsr(0x179, 0)).toEqual(refused('wrmsr.read-only'));
  });

  it('control a bank as a whole', () => {
    const cpu = bootedMachine({ profile }).processor(0);
    expect(cpu.wrmsr(0x400, ONES)).toEqual(completed());
    expect(cpu.rdmsr(0x400)).toMatchObject({ value: ONES });
    expect(cpu.wrmsr(0x404, 0xaaaan)).toEqual(refused('wrmsr.machine-check-control'));
    expect(cpu.wrmsr(0x17b, 1n)).toEqual(refused('wrmsr.machine-check-control'));
  });

  it('let software clear the status of a bank, and keep address and miscellaneous data', () => {
    const cpu = bootedMachine({ profile }).processor(0);
    cpu.set('IA32_MC2_STATUS', 5n);
    expect(cpu.wrmsr(0x409, 1n)).toEqual(refused('wrmsr.machine-check-status'));
    expect(cpu.wrmsr(0x409, 0n)).toEqual(completed());
    expect(cpu.read('IA32_MC2_STATUS')).toBe(0n);
    for (const address of [0x40a, 0x40b]) {
      cpu.wrmsr(address, ONES);
      expect(cpu.rdmsr(address)).toMatchObject({ value: ONES });
    }
    expect(cpu.wrmsr(0x17a, 7n)).toEqual(completed());
    expect(cpu.wrmsr(0x17a, 8n)).toEqual(refused('wrmsr.reserved'));
  });
});

describe('MSRs of Intel processors', () => {
  it('keep the read-only bits of IA32_MISC_ENABLE', () => {
    const cpu = bootedMachine().processor(0);
    expect(cpu.wrmsr(0x1a0, 0x4_00c5_0809n)).toEqual(completed());
    expect(cpu.rdmsr(0x1a0)).toMatchObject({ value: 0x4_00c5_0089n });
    expect(cpu.wrmsr(0x1a0, 2n)).toEqual(refused('wrmsr.reserved'));
  });

  it('take MONITOR from CPUID with IA32_MISC_ENABLE[18]', () => {
    const cpu = bootedMachine().processor(0);
    const monitor = () => {
      cpu.cpuid(1n, 0n);
      return (cpu.read('RCX') >> 3n) & 1n;
    };
    expect(monitor()).toBe(1n);
    cpu.wrmsr(0x1a0, 1n);
    expect(monitor()).toBe(0n);
  });

  it.each(['intel-sapphire-rapids', 'intel-emerald-rapids'])('promise no MSR that is not there: %s', (profile) => {
    const cpu = bootedMachine({ profile }).processor(0);
    const capabilities = (cpu.rdmsr(0x10a) as { value: bigint }).value;
    const promises = { 7: 0x122, 9: 0x1406, 10: 0xbc, 11: 0xbc, 12: 0x1b01, 18: 0x123, 21: 0xbd, 23: 0x195 };
    for (const [bit, address] of Object.entries(promises)) {
      expect((capabilities >> BigInt(bit)) & 1n).toBe(0n);
      expect(cpu.rdmsr(address)).toEqual(refused('rdmsr.address'));
    }
    expect(capabilities & 3n).toBe(3n); // RDCL_NO, IBRS_ALL
  });

  it('make CPUID fault above CPL 0', () => {
    const cpu = bootedMachine().processor(0);
    cpu.wrmsr(0x140, 1n);
    expect(cpu.cpuid(0n, 0n)).toMatchObject({ kind: 'completed' });
    cpu.set('SS.attributes', 0xc0f3n);
    expect(cpu.cpuid(0n, 0n)).toEqual(refused('cpuid.faulting'));
  });

  it('say how fast the processor runs', () => {
    expect(bootedMachine().processor(0).rdmsr(0x198)).toMatchObject({ value: 0x1600n });
    expect(bootedMachine().processor(0).rdmsr(0x79)).toEqual(refused('rdmsr.write-only'));
  });

  it('keep in IA32_DEBUGCTL what CPUID leaves', () => {
    const cpu = bootedMachine().processor(0);
    expect(cpu.wrmsr(0x1d9, 1n)).toEqual(completed());
    expect(cpu.rdmsr(0x1d9)).toMatchObject({ value: 1n });
    expect(cpu.wrmsr(0x1d9, 0x40n)).toEqual(refused('wrmsr.reserved'));
  });
});

describe('MSRs of AMD processors', () => {
  it('keep where memory ends', () => {
    const cpu = bootedMachine({ profile: 'amd-server' }).processor(0);
    expect(cpu.wrmsr(0xc001_001a, 0x8000_0000n)).toEqual(completed());
    expect(cpu.rdmsr(0xc001_001a)).toMatchObject({ value: 0x8000_0000n });
    expect(cpu.wrmsr(0xc001_001a, 0x8040_0000n)).toEqual(refused('wrmsr.reserved'));
    expect(bootedMachine().processor(0).rdmsr(0xc001_001a)).toEqual(refused('rdmsr.address'));
  });

  it('let software write the status of a machine-check bank after HWCR.McStatusWrEn', () => {
    const cpu = bootedMachine({ profile: 'amd-server' }).processor(0);
    cpu.set('HWCR', 1n << 18n);
    expect(cpu.wrmsr(0x401, 1n)).toEqual(completed());
  });
});
