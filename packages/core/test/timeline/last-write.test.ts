// Who did not write it.
import { describe, expect, it } from 'vitest';
import { CODE, hex, machineWith } from '../support/booted-machine.js';

/** mov eax, 1 */
const MOV = hex('b8 01 00 00 00');

describe('the last write of a register', () => {
  it('is not the intrinsic that followed the instruction', () => {
    const machine = machineWith(MOV);
    machine.step(0);
    machine.processor(0).cli();
    expect(machine.timeline().lastWrite('RAX')?.position).toBe(0);
  });

  it('is not a load that faulted', () => {
    const machine = machineWith([...MOV, ...hex('48 8b 04 25 00 00 00 80')]); // mov rax, [-0x80000000], not mapped
    machine.step(0, 2);
    expect(machine.timeline().stepAt(1).outcome).toMatchObject({ rule: 'core.paging.present' });
    expect(machine.timeline().lastWrite('RAX')?.position).toBe(0);
  });

  it('is not a descriptor that was read in user mode, of the privilege level', () => {
    const machine = machineWith(hex('8e d8')); // mov ds, eax: refused after the descriptor was read
    const cpu = machine.processor(0);
    cpu.set('SS.attributes', 0xc0f3n);
    cpu.set('RAX', 0x10n);
    machine.step(0);
    expect(machine.timeline().lastWrite('SS.attributes')?.position).toBe(0);
  });
});

describe('the last write of a page-table entry', () => {
  it('is not a step whose bytes end before the page', () => {
    const next = 0x20_0000; // the second entry of the first page directory maps it
    const machine = machineWith([]);
    machine.writeMemory(next - 2, Uint8Array.of(0x90, 0x90));
    machine.writeMemory(next, Uint8Array.of(0x90));
    machine.processor(0).set('RIP', BigInt(next - 2));
    machine.step(0, 3);
    expect(CODE).toBeLessThan(next);
    expect(machine.timeline().lastWrite('[0x3008+8]')?.position).toBe(5);
    expect(machine.timeline().lastWrite('[0x3008+8]', 5)).toBeUndefined();
  });
});
