// RDPKRU, WRPKRU, IA32_PKRS and what they refuse, in 64-bit mode.
import { describe, expect, it } from 'vitest';
import { fault } from '../../src/event/outcome.js';
import { bootedMachine, hex, machineWith } from '../support/booted-machine.js';

const PKE = 1n << 22n;
const PKS = 1n << 24n;
const OSPKE = 1n << 4n;
const IA32_PKRS = 0x6e1n;

function machineWithKeys(options: Parameters<typeof bootedMachine>[0] = {}) {
  const machine = bootedMachine(options);
  const cpu = machine.processor(0);
  cpu.movToCr4(cpu.read('CR4') | PKE);
  return { machine, cpu };
}

describe('PKRU', () => {
  it('is written and read while CR4.PKE is 1, which CPUID shows as OSPKE', () => {
    const { cpu } = machineWithKeys();
    expect(cpu.wrpkru(0x5555_5554n, 0n, 0n)).toEqual({ kind: 'completed' });
    expect(cpu.rdpkru(0n)).toEqual({ kind: 'completed', value: 0x5555_5554n });
    cpu.cpuid(7n, 0n);
    expect(cpu.read('RCX') & OSPKE).toBe(OSPKE);
  });

  it.each([
    ['ECX of RDPKRU', (cpu: ReturnType<typeof machineWithKeys>['cpu']) => cpu.rdpkru(1n), 'core.rdpkru.ecx'],
    ['ECX of WRPKRU', (cpu: ReturnType<typeof machineWithKeys>['cpu']) => cpu.wrpkru(0n, 1n, 0n), 'core.wrpkru.ecx'],
    ['EDX of WRPKRU', (cpu: ReturnType<typeof machineWithKeys>['cpu']) => cpu.wrpkru(0n, 0n, 1n), 'core.wrpkru.edx'],
  ])('takes #GP(0) for a value in %s', (_, execute, rule) => {
    expect(execute(machineWithKeys().cpu)).toEqual(fault('#GP', { errorCode: 0, rule }));
  });

  it('takes #UD while CR4.PKE is 0', () => {
    const cpu = bootedMachine().processor(0);
    expect(cpu.rdpkru(0n)).toEqual(fault('#UD', { rule: 'core.rdpkru.pke' }));
    expect(cpu.wrpkru(0n, 0n, 0n)).toEqual(fault('#UD', { rule: 'core.wrpkru.pke' }));
  });

  it('counts from the next access on, for user pages in supervisor mode too', () => {
    const machine = machineWith(hex('8a 03  0f 01 ef  8a 03')); // mov al, [rbx]; wrpkru; mov al, [rbx]
    const cpu = machine.processor(0);
    cpu.movToCr4(cpu.read('CR4') | PKE);
    for (const [name, value] of Object.entries({ RAX: 0n, RCX: 0n, RDX: 0n, RBX: 0x30_0000n })) cpu.set(name, value);
    machine.writeMemory(0x30_0000, Uint8Array.of(1)); // AD of key 0
    expect(cpu.step()).toEqual({ kind: 'completed' });
    expect(cpu.step()).toEqual({ kind: 'completed' });
    expect(cpu.step()).toMatchObject({ kind: 'shutdown', rule: 'core.paging.protection-key' });
    expect(cpu.read('CR2')).toBe(0x30_0000n);
  });
});

describe('IA32_PKRS', () => {
  it('holds 32 bits, and is not there on processors without PKS', () => {
    const { cpu } = machineWithKeys();
    expect(cpu.wrmsr(IA32_PKRS, 0xffff_ffffn)).toEqual({ kind: 'completed' });
    expect(cpu.wrmsr(IA32_PKRS, 1n << 32n)).toMatchObject({ vector: '#GP', rule: 'core.wrmsr.reserved' });
    expect(cpu.movToCr4(cpu.read('CR4') | PKS)).toEqual({ kind: 'completed' });
    const { cpu: amd } = machineWithKeys({ profile: 'amd-server' });
    expect(amd.wrmsr(IA32_PKRS, 0n)).toMatchObject({ vector: '#GP', rule: 'core.wrmsr.address' });
    expect(amd.movToCr4(amd.read('CR4') | PKS)).toMatchObject({ vector: '#GP', rule: 'core.mov-cr.cr4-reserved' });
  });
});
