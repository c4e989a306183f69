import { describe, expect, it } from 'vitest';
import { fault } from '../../src/event/outcome.js';
import type { Machine } from '../../src/machine/machine.js';
import { definePlugin } from '../../src/plugin/define.js';
import { hex, machineWith } from '../support/booted-machine.js';
import { protectedMachine } from '../support/protected-machine.js';

const seeExceptions = definePlugin({
  name: 'observer',
  version: '1.0.0',
  apiVersion: 1,
  intercepts: { exception: (_cpu, raised) => ({ ...raised, kind: 'observer/raised' }) },
});
const refused = (rule: string) => ({
  ...fault('#GP', { errorCode: 0, rule: `core.${rule}` }),
  kind: 'observer/raised',
});
const undefinedOpcode = (rule: string) => ({ ...fault('#UD', { rule: `core.${rule}` }), kind: 'observer/raised' });
const running = (code: string, profile = 'intel-server'): Machine =>
  machineWith(hex(code), { profile, plugins: [seeExceptions] });

function set(machine: Machine, values: Readonly<Record<string, bigint>>): void {
  for (const [register, value] of Object.entries(values)) machine.processor(0).set(register, value);
}

const MSRS = {
  IA32_SYSENTER_CS: 0x0bn,
  IA32_SYSENTER_ESP: 0xffff_8000_0000_7000n,
  IA32_SYSENTER_EIP: 0xffff_8000_0010_0000n,
};

describe('SYSENTER', () => {
  it('goes to 64-bit code with CPL 0, without its RPL, and clears IF', () => {
    const machine = running('0f 34');
    set(machine, { ...MSRS, RFLAGS: 0x202n, 'SS.attributes': 0xc0f3n, 'CS.attributes': 0xa0fbn });
    const cpu = machine.processor(0);
    cpu.step();
    expect(['RIP', 'RSP', 'RFLAGS', 'CS.selector', 'CS.attributes', 'SS.selector'].map((r) => cpu.read(r))).toEqual([
      MSRS.IA32_SYSENTER_EIP,
      MSRS.IA32_SYSENTER_ESP,
      0x2n,
      0x08n,
      0xa09bn,
      0x10n,
    ]);
    expect(cpu.read('SS.attributes')).toBe(0xc093n);
  });

  it('takes the low halves in protected mode', () => {
    const machine = protectedMachine('0f 34', 3);
    set(machine, MSRS);
    const cpu = machine.processor(0);
    cpu.step();
    expect([cpu.read('RIP'), cpu.read('RSP'), cpu.read('CS.attributes')]).toEqual([0x10_0000n, 0x7000n, 0xc09bn]);
  });

  it('is #GP(0) while IA32_SYSENTER_CS is null, whatever its RPL', () => {
    const machine = running('0f 34');
    set(machine, { IA32_SYSENTER_CS: 3n });
    expect(machine.processor(0).step()).toEqual(refused('sysenter.cs-null'));
  });

  it('is #UD in long mode of an AMD processor', () => {
    expect(running('0f 34', 'amd-server').processor(0).step()).toEqual(undefinedOpcode('sysenter.long-mode'));
    expect(running('0f 35', 'amd-server').processor(0).step()).toEqual(undefinedOpcode('sysexit.long-mode'));
  });
});

describe('SYSEXIT', () => {
  const leaving = { ...MSRS, RCX: 0x7fff_1234_5678n, RDX: 0x7fff_0000_1000n };
  const seen = (machine: Machine) =>
    ['RIP', 'RSP', 'CS.selector', 'CS.attributes', 'SS.selector', 'SS.attributes'].map((r) =>
      machine.processor(0).read(r),
    );

  it('returns to 32-bit code', () => {
    const machine = running('0f 35');
    set(machine, leaving);
    machine.processor(0).step();
    expect(seen(machine)).toEqual([0x1000n, 0x1234_5678n, 0x1bn, 0xc0fbn, 0x23n, 0xc0f3n]);
  });

  it('returns to 64-bit code with REX.W', () => {
    const machine = running('48 0f 35');
    set(machine, leaving);
    machine.processor(0).step();
    expect(seen(machine)).toEqual([0x7fff_0000_1000n, 0x7fff_1234_5678n, 0x2bn, 0xa0fbn, 0x33n, 0xc0f3n]);
  });

  it.each([
    ['sysexitq.cs-null', { IA32_SYSENTER_CS: 0n }],
    ['sysexitq.cpl', { 'SS.attributes': 0xc0f3n }],
    ['sysexitq.rcx-canonical', { RCX: 1n << 50n }],
    ['sysexitq.rdx-canonical', { RDX: 1n << 50n }],
  ])('is refused by %s', (rule, values) => {
    const machine = running('48 0f 35');
    set(machine, { ...leaving, ...values });
    expect(machine.processor(0).step()).toEqual(refused(rule));
  });
});

describe('SYSCALL of an AMD processor', () => {
  it('goes from compatibility mode to IA32_CSTAR', () => {
    const machine = running('0f 05', 'amd-server');
    set(machine, {
      'CS.attributes': 0xc0fbn,
      'SS.attributes': 0xc0f3n,
      IA32_EFER: 0xd01n,
      IA32_STAR: 0x8_0000_0000n,
      IA32_CSTAR: 0x1234_0000n,
    });
    const cpu = machine.processor(0);
    cpu.step();
    expect(['RIP', 'RCX', 'R11', 'CS.attributes'].map((r) => cpu.read(r))).toEqual([
      0x1234_0000n,
      0x10_0002n,
      0x2n,
      0xa09bn,
    ]);
  });

  it('goes in legacy mode to the address in IA32_STAR with interrupts off, and back with them on', () => {
    const machine = protectedMachine('0f 05', 3, 'amd-server');
    set(machine, { IA32_EFER: 1n, RFLAGS: 0x202n, IA32_STAR: 0x0018_0008_0010_0100n });
    machine.writeMemory(0x10_0100, Uint8Array.of(0x0f, 0x07));
    const cpu = machine.processor(0);
    cpu.step();
    expect(['RIP', 'RCX', 'RFLAGS', 'CS.selector'].map((r) => cpu.read(r))).toEqual([0x10_0100n, 0x10_0002n, 2n, 8n]);
    cpu.step();
    expect(['RIP', 'RFLAGS', 'CS.selector', 'SS.selector', 'SS.attributes'].map((r) => cpu.read(r))).toEqual([
      0x10_0002n,
      0x202n,
      0x1bn,
      0x23n,
      0xc0f3n,
    ]);
  });
});
