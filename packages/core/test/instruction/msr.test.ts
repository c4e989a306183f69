import { describe, expect, it } from 'vitest';
import { fault } from '../../src/event/outcome.js';
import { definePlugin } from '../../src/plugin/define.js';
import { bootedMachine } from '../support/booted-machine.js';

const refused = (rule: string) => fault('#GP', { errorCode: 0, rule: `core.${rule}` });
const EFER = 0xc000_0080;
const NON_CANONICAL = 0x0100_0000_0000_0000n;

describe('RDMSR', () => {
  it('hands back EDX:EAX and clears the high halves of both registers', () => {
    const cpu = bootedMachine().processor(0);
    cpu.set('RAX', 2n ** 64n - 1n);
    expect(cpu.rdmsr(0x277)).toEqual({ kind: 'completed', value: 0x0007_0406_0007_0406n });
    expect(cpu.read('RAX')).toBe(0x0007_0406n);
    expect(cpu.read('RDX')).toBe(0x0007_0406n);
  });

  it('is #GP(0) for an address without an MSR, one of the other vendor, and one that is a command', () => {
    const intel = bootedMachine().processor(0);
    expect(intel.rdmsr(0x1234)).toEqual(refused('rdmsr.address'));
    expect(intel.rdmsr(0xc001_0015)).toEqual(refused('rdmsr.address'));
    expect(intel.rdmsr(0x49)).toEqual(refused('rdmsr.write-only'));
    expect(bootedMachine({ profile: 'amd-server' }).processor(0).rdmsr(0xc001_0015)).toMatchObject({
      kind: 'completed',
    });
  });

  it('is #GP(0) above CPL 0', () => {
    const cpu = bootedMachine().processor(0);
    cpu.set('SS.attributes', 0xc0f3n);
    expect(cpu.rdmsr(0x277)).toEqual(refused('rdmsr.cpl'));
    expect(cpu.wrmsr(0x277, 0)).toEqual(refused('wrmsr.cpl'));
  });
});

describe('WRMSR', () => {
  it.each([
    ['wrmsr.address', 0x1234, 0n],
    ['wrmsr.read-only', 0xfe, 0n],
    ['wrmsr.reserved', 0x48, 0x8n],
    ['wrmsr.canonical', 0xc000_0082, NON_CANONICAL],
    ['wrmsr.canonical', 0x175, NON_CANONICAL],
    ['wrmsr.efer-reserved', EFER, 0xd01n | (1n << 12n)],
    ['wrmsr.efer-lme-paging', EFER, 0xc01n],
    ['wrmsr.memory-type', 0x277, 0x0007_0406_0007_0402n],
    ['wrmsr.memory-type', 0x250, 0x0606_0606_0606_0607n],
    ['wrmsr.value-reserved', 0x201, 1n << 46n],
    ['wrmsr.value-reserved', 0x1b, 0xfee0_0a00n],
    ['wrmsr.apic-base-transition', 0x1b, 0xfee0_0400n],
  ])('is refused by %s', (rule, address, value) => {
    const machine = bootedMachine();
    const before = machine.state.processors[0]?.msrs;
    expect(machine.processor(0).wrmsr(address, value)).toEqual(refused(rule));
    expect(machine.state.processors[0]?.msrs).toEqual(before);
  });

  it('stores what passes', () => {
    const cpu = bootedMachine().processor(0);
    for (const [address, value] of [
      [0xc000_0082, 0xffff_8000_0000_0000n],
      [0x277, 0x0706_0504_0100_0607n],
      [0x250, 0x0606_0606_0606_0600n],
      [0x201, (1n << 45n) | 0x800n],
      [EFER, 0xd01n],
    ] as const) {
      expect(cpu.wrmsr(address, value)).toEqual({ kind: 'completed' });
      expect(cpu.rdmsr(address)).toMatchObject({ value });
    }
  });

  it('reaches the bases of FS and GS', () => {
    const cpu = bootedMachine().processor(0);
    cpu.wrmsr(0xc000_0100, 0x1234_5000n);
    cpu.wrmsr(0xc000_0101, 0xffff_ffff_8000_0000n);
    expect(cpu.read('FS.base')).toBe(0x1234_5000n);
    expect(cpu.rdmsr(0xc000_0101)).toMatchObject({ value: 0xffff_ffff_8000_0000n });
  });

  it('ignores what is written to IA32_EFER.LMA', () => {
    const cpu = bootedMachine().processor(0);
    cpu.wrmsr(EFER, 0x901n);
    expect(cpu.rdmsr(EFER)).toMatchObject({ value: 0xd01n });
  });

  it('changes IA32_EFER.LME while paging is off', () => {
    const cpu = bootedMachine({ boot: undefined } as never).processor(0);
    expect(cpu.wrmsr(EFER, 0x900n)).toEqual({ kind: 'completed' });
    expect(cpu.read('IA32_EFER')).toBe(0x900n);
  });

  it('asks plugins first, whose outcome ends the instruction', () => {
    const plugin = definePlugin({
      name: 'gate',
      version: '1.0.0',
      apiVersion: 1,
      intercepts: { msr: (_cpu, { write, name, value }) => (write ? { kind: 'gate/closed', name, value } : undefined) },
    });
    const cpu = bootedMachine({ plugins: [plugin] }).processor(0);
    expect(cpu.wrmsr(0xc000_0082, 5)).toEqual({ kind: 'gate/closed', name: 'IA32_LSTAR', value: 5n });
    expect(cpu.rdmsr(0xc000_0082)).toMatchObject({ value: 0n });
  });
});

describe('IA32_TIME_STAMP_COUNTER', () => {
  it('follows virtual time, takes a value, and tells IA32_TSC_ADJUST the difference', () => {
    const machine = bootedMachine();
    const cpu = machine.processor(0);
    cpu.set('cycles', 1000n);
    expect(cpu.rdmsr(0x10)).toMatchObject({ value: 1000n });
    cpu.wrmsr(0x10, 5000);
    expect(cpu.rdmsr(0x3b)).toMatchObject({ value: 4000n });
    cpu.set('cycles', 1010n);
    expect(cpu.rdtsc()).toMatchObject({ value: 5010n });
    cpu.wrmsr(0x3b, 0);
    expect(cpu.rdtsc()).toMatchObject({ value: 1010n });
  });

  it('is guarded by CR4.TSD above CPL 0', () => {
    const cpu = bootedMachine().processor(0);
    cpu.set('SS.attributes', 0xc0f3n);
    expect(cpu.rdtsc()).toMatchObject({ kind: 'completed' });
    cpu.set('CR4', 0x24n);
    expect(cpu.rdtsc()).toEqual(refused('rdtsc.tsd'));
  });
});

describe('IA32_APIC_BASE', () => {
  it('says which processor is the bootstrap processor', () => {
    const machine = bootedMachine({ processors: 2 });
    expect(machine.processor(0).rdmsr(0x1b)).toMatchObject({ value: 0xfee0_0900n });
    expect(machine.processor(1).rdmsr(0x1b)).toMatchObject({ value: 0xfee0_0800n });
  });
});
