import { describe, expect, it } from 'vitest';
import type { MachineOptions } from '../../src/plugin/host.js';
import { CODE, hex } from '../support/booted-machine.js';
import { HANDLER, machineWithIdt } from '../support/idt.js';

const IRETQ = hex('48 cf');
const TF = 0x100n;
/** Enabled, for one byte (or as `length` says), with a condition: 0 execute, 1 write, 3 read or write. */
const enable = (condition: number, length = 0): bigint => 0x401n | BigInt((condition | (length << 2)) << 16);

function debugged(code: string, options: Partial<MachineOptions> = {}) {
  const machine = machineWithIdt(hex(code), [{ vector: 1 }, { vector: 0x21, offset: HANDLER + 0x100 }], options);
  machine.writeMemory(HANDLER, Uint8Array.from(IRETQ));
  return { machine, cpu: machine.processor(0) };
}

const db = { kind: 'fault', vector: '#DB' };

describe('single-stepping', () => {
  it('traps after each instruction that began with TF set', () => {
    const { cpu } = debugged('90 90 90');
    cpu.set('RFLAGS', 2n | TF);
    expect(cpu.step()).toEqual({ kind: 'completed' });
    expect(cpu.step()).toMatchObject({ ...db, debugStatus: 0x4000 });
    expect([cpu.read('RIP'), cpu.read('DR6'), cpu.read('RFLAGS') & TF]).toEqual([BigInt(HANDLER), 0xffff_4ff0n, 0n]);
    cpu.step(); // IRETQ sets TF again: it takes effect after the next instruction
    expect(cpu.read('RIP')).toBe(BigInt(CODE + 1));
    expect(cpu.step()).toEqual({ kind: 'completed' });
    expect(cpu.step()).toMatchObject(db);
  });

  it('does not step into the handler of INT n', () => {
    const { cpu } = debugged('cd 21');
    cpu.set('RFLAGS', 2n | TF);
    cpu.step(3);
    expect(cpu.read('RIP')).toBe(BigInt(HANDLER + 0x100) + 4n); // 00 00: add [rax], al
  });

  it('waits for the instruction after a load of SS', () => {
    const { cpu } = debugged('8e d0 90 90'); // mov ss, eax
    cpu.set('RAX', 0x10n);
    cpu.set('RFLAGS', 2n | TF);
    cpu.step(2);
    expect(cpu.read('RIP')).toBe(BigInt(CODE + 3));
    expect(cpu.step()).toMatchObject(db);
  });
});

describe('single-stepping on branches', () => {
  const BTF = 2n;
  function stepped(code: string) {
    const { cpu } = debugged(code);
    cpu.wrmsr(0x1d9, BTF);
    cpu.set('RFLAGS', 2n | TF);
    return cpu;
  }

  it.each([
    ['JMP', '90 90 eb 03', CODE + 7],
    ['JMP to the next instruction', '90 90 eb 00', CODE + 4],
    ['a conditional branch that is taken', '90 90 73 03', CODE + 7],
    ['CALL', '90 90 e8 00 00 00 00', CODE + 7],
  ])('traps after %s, and after nothing before it', (_name, code, target) => {
    const cpu = stepped(code);
    expect(cpu.step(3)).toEqual({ kind: 'completed' });
    expect(cpu.step()).toMatchObject({ ...db, debugStatus: 0x4000 });
    expect(cpu.read('RIP')).toBe(BigInt(HANDLER));
    cpu.step(); // IRETQ
    expect(cpu.read('RIP')).toBe(BigInt(target));
  });

  it('lets a branch that is not taken and a repeated instruction pass', () => {
    const cpu = stepped('72 10 f3 a4 90'); // jb; rep movsb
    cpu.set('RCX', 3n);
    cpu.set('RSI', 0x9000n);
    cpu.set('RDI', 0x9100n);
    expect(cpu.step(6)).toEqual({ kind: 'completed' });
    expect(cpu.read('pendingDebug')).toBe(0n);
  });

  it('ends with the exception: BTF is cleared, and the next trap is after any instruction', () => {
    const cpu = stepped('eb 00 90 90');
    cpu.step(2);
    expect(cpu.read('IA32_DEBUGCTL')).toBe(0n);
    cpu.step(2); // IRETQ, NOP
    expect(cpu.step()).toMatchObject({ ...db, debugStatus: 0x4000 });
  });
});

describe('breakpoints', () => {
  it('on an instruction are faults before it, once: RF lets it pass after the handler', () => {
    const { cpu } = debugged('90 ff c3 90');
    cpu.set('DR0', BigInt(CODE + 1));
    cpu.set('DR7', enable(0));
    cpu.set('RBX', 0n);
    cpu.step();
    expect(cpu.step()).toMatchObject({ ...db, debugStatus: 1, rule: 'core.breakpoint.instruction' });
    cpu.step(2); // IRETQ, INC
    expect([cpu.read('RBX'), cpu.read('RFLAGS') & 0x1_0000n]).toEqual([1n, 0n]);
    expect(cpu.step()).toEqual({ kind: 'completed' });
  });

  it('on data are traps after the access', () => {
    const { cpu } = debugged('88 03 8a 03 90'); // mov [rbx], al; mov al, [rbx]
    cpu.set('RBX', 0x5003n);
    cpu.set('DR0', 0x5000n);
    cpu.set('DR7', enable(1, 3));
    expect(cpu.step()).toEqual({ kind: 'completed' });
    expect(cpu.step()).toMatchObject({ ...db, debugStatus: 1 });
    cpu.step(); // IRETQ
    expect(cpu.step(2)).toEqual({ kind: 'completed' }); // a read does not meet a breakpoint on writes
  });

  it('guard the debug registers while GD is set, and DR6 says so', () => {
    const { cpu } = debugged('0f 21 c0'); // mov rax, dr0
    cpu.set('DR7', 0x2400n);
    expect(cpu.step()).toMatchObject({ ...db, rule: 'core.mov-dr.gd' });
    expect([cpu.read('DR6'), cpu.read('DR7')]).toEqual([0xffff_2ff0n, 0x400n]);
  });
});

describe('a load of SS', () => {
  it('loses its single-step trap when the next instruction enters a handler', () => {
    const { cpu } = debugged('8e d0 f1'); // mov ss, eax; int1
    cpu.set('RAX', 0x10n);
    cpu.set('RFLAGS', 2n | TF);
    cpu.step(2);
    expect([cpu.read('RIP'), cpu.read('DR6'), cpu.read('pendingDebug')]).toEqual([BigInt(HANDLER), 0xffff_0ff0n, 0n]);
  });

  it('keeps its breakpoints for the #DB of INT1', () => {
    const { cpu } = debugged('8e 13 f1'); // mov ss, [rbx]; int1
    cpu.set('RBX', 0x9000n); // holds a null selector
    cpu.set('DR0', 0x9000n);
    cpu.set('DR7', enable(3, 1));
    cpu.step(2);
    expect([cpu.read('RIP'), cpu.read('DR6')]).toEqual([BigInt(HANDLER), 0xffff_0ff1n]);
  });
});

describe('a breakpoint on the instruction after a load of SS', () => {
  it.each([
    ['intel-server', { kind: 'completed' }],
    ['amd-server', { ...db, debugStatus: 1 }],
  ])('is held back by an Intel processor only: %s', (profile, outcome) => {
    const { cpu } = debugged('8e d0 90 90', { profile }); // mov ss, eax
    cpu.set('RAX', 0x10n);
    cpu.set('DR0', BigInt(CODE + 2));
    cpu.set('DR7', enable(0));
    cpu.step();
    expect(cpu.step()).toMatchObject(outcome);
    expect(cpu.read('DR6') & 1n).toBe(outcome.kind === 'completed' ? 0n : 1n);
  });
});

describe('SYSRET', () => {
  it('traps when the flags that it returns with have TF', () => {
    const { cpu } = debugged('48 0f 07');
    cpu.set('IA32_STAR', 0x10n << 48n);
    cpu.set('RCX', BigInt(CODE + 0x10));
    cpu.set('R11', 2n | TF);
    cpu.step();
    expect(cpu.read('pendingDebug')).toBe(0x4000n);
  });
});
