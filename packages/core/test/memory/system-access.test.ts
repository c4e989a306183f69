// What the processor itself reads and writes at linear addresses.
import { describe, expect, it } from 'vitest';
import { hex, machineWith } from '../support/booted-machine.js';

const littleEndian = (value: bigint): Uint8Array =>
  Uint8Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));

describe('an implicit supervisor-mode access', () => {
  it('in compatibility mode goes on in the next page above 4 GiB', () => {
    const machine = machineWith(hex('8e d8')); // mov ds, eax
    const cpu = machine.processor(0);
    machine.writeMemory(0x1008, littleEndian(0x30_0007n)); // 512 GiB and above: 2 MiB of them are at 4 MiB
    machine.writeMemory(0x30_0000, littleEndian(0x30_1007n));
    machine.writeMemory(0x30_1000, littleEndian(0x40_0087n));
    machine.writeMemory(0x40_0ffc, littleEndian(0x00cf_9312_3456_ffffn)); // a data segment, in two pages
    cpu.set('GDTR.base', 0x80_0000_0ff4n);
    cpu.set('CS.attributes', 0xc09bn);
    cpu.set('RAX', 8n);
    expect(cpu.step()).toEqual({ kind: 'completed' });
    expect(cpu.read('DS.base')).toBe(0x12_3456n);
  });

  it('to a user page is refused by SMAP although RFLAGS.AC is 1', () => {
    const machine = machineWith(hex('8b 00 8e d8')); // mov eax, [rax]; mov ds, eax
    const cpu = machine.processor(0);
    machine.writeMemory(0x3000 + 8, Uint8Array.of(0x87, 0, 0x20, 0, 0, 0, 0, 0)); // a user page
    machine.writeMemory(0x3000, Uint8Array.of(0x83)); // everything else is a supervisor page
    machine.writeMemory(0x20_0010, Uint8Array.of(0xff, 0xff, 0, 0, 0, 0x93, 0xcf, 0));
    cpu.set('CR4', cpu.read('CR4') | (1n << 21n));
    cpu.set('RFLAGS', 0x4_0002n);
    cpu.set('RAX', 0x20_0000n);
    expect(cpu.step()).toEqual({ kind: 'completed' }); // AC lifts SMAP for a load of the program
    cpu.set('RAX', 0x10n);
    cpu.set('GDTR.base', 0x20_0000n);
    expect(cpu.step()).toMatchObject({ kind: 'shutdown', rule: 'core.paging.rights' });
  });
});
