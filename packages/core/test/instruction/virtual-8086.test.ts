// Virtual-8086 mode: the way in and out, what IOPL holds back, and the virtual interrupts of CR4.VME.
import { describe, expect, it } from 'vitest';
import type { Machine } from '../../src/machine/machine.js';
import { hex } from '../support/booted-machine.js';
import {
  doublewords,
  HANDLER,
  KERNEL_STACK,
  protectedMachine,
  quad,
  SELECTOR,
  TSS,
  words,
  writeGate,
} from '../support/protected-machine.js';

const PROGRAM = 0x1000;
const STACK = 0x800;
const VM = 0x2_0000n;
const IOPL = 0x3000n;
const IF = 0x200n;
const VIF = 0x8_0000n;
const VIP = 0x10_0000n;
const VME = 1n;
const NAMES = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'] as const;

/** A machine in virtual-8086 mode with a program at 1000H:0 and a handler of level 0 for #GP and INT 40H. */
function machineIn8086(code: string, flags = 0n, cr4 = 0n): Machine {
  const machine = protectedMachine('90', 0);
  const cpu = machine.processor(0);
  machine.writeMemory(PROGRAM << 4, Uint8Array.from(hex(code)));
  for (const vector of [3, 6, 13, 0x40]) writeGate(machine, vector, {});
  for (const [index, name] of NAMES.entries()) {
    const selector = name === 'CS' ? PROGRAM : name === 'SS' ? STACK : 0x2000 + index;
    cpu.set(`${name}.selector`, BigInt(selector));
    cpu.set(`${name}.base`, BigInt(selector) << 4n);
    cpu.set(`${name}.limit`, 0xffffn);
    cpu.set(`${name}.attributes`, 0xf3n);
  }
  cpu.set('RSP', 0x1000n);
  cpu.set('RIP', 0n);
  cpu.set('CR4', cr4);
  cpu.set('RFLAGS', VM | 2n | flags);
  return machine;
}

const read = (machine: Machine, ...names: readonly string[]) => names.map((name) => machine.processor(0).read(name));
const flagsOf = (machine: Machine) => machine.processor(0).read('RFLAGS') & ~2n;
const top = (machine: Machine, count: number) => words(machine, (STACK << 4) + Number(read(machine, 'RSP')[0]), count);
const putWords = (machine: Machine, address: number, values: readonly number[]): void =>
  void machine.writeMemory(address, Uint8Array.from(values.flatMap((value) => [value & 0xff, value >> 8])));

describe('virtual-8086 mode', () => {
  it('is entered by IRETD with VM in the image, and takes all of RFLAGS', () => {
    const machine = protectedMachine('cf');
    const frame = [0x10, 0x1000, 0x2_3202, 0xfffe, 0x800, 1, 2, 3, 4];
    for (const [index, value] of frame.entries())
      machine.writeMemory(KERNEL_STACK - 0x100 + 4 * index, Uint8Array.from(quad(BigInt(value))).subarray(0, 4));
    machine.processor(0).set('RSP', BigInt(KERNEL_STACK - 0x100));
    expect(machine.processor(0).step()).toEqual({ kind: 'completed' });
    expect(read(machine, 'RIP', 'CS.base', 'RFLAGS', 'RSP', 'SS.base', 'SS.attributes')).toEqual([
      0x10n,
      0x1_0000n,
      0x2_3202n,
      0xfffen,
      0x8000n,
      0xf3n,
    ]);
    expect(read(machine, 'ES.base', 'DS.base', 'FS.base', 'GS.base', 'GS.limit')).toEqual([
      0x10n,
      0x20n,
      0x30n,
      0x40n,
      0xffffn,
    ]);
  });

  it('is left by an exception to level 0, with all segments on its stack', () => {
    const machine = machineIn8086('f4', IF); // HLT
    expect(machine.processor(0).step()).toMatchObject({ vector: '#GP', errorCode: 0 });
    expect(read(machine, 'RIP', 'CS.selector', 'SS.selector', 'DS.attributes', 'GS.attributes')).toEqual([
      BigInt(HANDLER),
      8n,
      BigInt(SELECTOR.data0),
      0x1_0000n,
      0x1_0000n,
    ]);
    expect(flagsOf(machine)).toBe(0n);
    const frame = [0, 0, PROGRAM, 0x3_0202, 0x1000, STACK, 0x2000, 0x2003, 0x2004, 0x2005];
    expect(doublewords(machine, KERNEL_STACK - 40, 10)).toEqual(frame);
  });

  it('comes back from the handler where it was', () => {
    const machine = machineIn8086('cc', IF | IOPL); // INT3 needs no IOPL
    writeGate(machine, 3, { dpl: 3 });
    machine.writeMemory(HANDLER, Uint8Array.of(0xcf));
    const before = NAMES.map((name) => machine.processor(0).read(`${name}.base`));
    machine.processor(0).step(2);
    expect(read(machine, 'RIP', 'RSP', 'RFLAGS')).toEqual([1n, 0x1000n, VM | IF | IOPL | 2n]);
    expect(NAMES.map((name) => machine.processor(0).read(`${name}.base`))).toEqual(before);
  });

  it('refuses a handler that is not of level 0', () => {
    const machine = machineIn8086('f4');
    writeGate(machine, 13, { selector: SELECTOR.code3 });
    expect(machine.processor(0).step()).toMatchObject({ kind: 'shutdown' });
  });

  it('has segments without descriptors, for loads and far transfers', () => {
    const machine = machineIn8086('8e d8 ea 05 00 34 12'); // mov ds, ax; jmp 1234h:5
    machine.processor(0).set('RAX', 0x4321n);
    machine.processor(0).step(2);
    expect(read(machine, 'DS.base', 'DS.limit', 'CS.base', 'RIP')).toEqual([0x4_3210n, 0xffffn, 0x1_2340n, 5n]);
    const calls = machineIn8086('9a 00 01 00 10'); // call 1000h:100h
    calls.writeMemory((PROGRAM << 4) + 0x100, Uint8Array.of(0xcb)); // retf
    calls.processor(0).step();
    expect(top(calls, 2)).toEqual([5, PROGRAM]);
    calls.processor(0).step();
    expect(read(calls, 'RIP', 'RSP')).toEqual([5n, 0x1000n]);
  });

  it('looks at the I/O permission bit map whatever IOPL says', () => {
    const machine = machineIn8086('e6 e9', IOPL); // out 0e9h, al
    machine.processor(0).set('TR.limit', 0x89n);
    putWords(machine, TSS + 102, [0x68]);
    machine.writeMemory(TSS + 0x68, new Uint8Array(0x22).fill(0xff));
    expect(machine.processor(0).step()).toMatchObject({ vector: '#GP', rule: 'core.out.permission' });
    const open = machineIn8086('e6 e9');
    open.processor(0).set('TR.limit', 0x89n);
    putWords(open, TSS + 102, [0x68]);
    expect(open.processor(0).step()).toEqual({ kind: 'completed' });
  });
});

describe('what IOPL holds back in virtual-8086 mode', () => {
  it.each([
    ['fa', 'cli'],
    ['fb', 'sti'],
    ['9c', 'pushf'],
    ['66 9c', 'pushfd'],
    ['9d', 'popf'],
    ['66 9d', 'popfd'],
    ['cf', 'iret'],
    ['66 cf', 'iretd'],
    ['cd 40', 'int'],
  ])('%s is #GP(0) below IOPL 3', (code, name) => {
    expect(machineIn8086(code, 0x2000n).processor(0).step()).toMatchObject({
      vector: '#GP',
      errorCode: 0,
      rule: `core.${name}.iopl`,
    });
  });

  it('works at IOPL 3, and leaves IOPL and VM alone', () => {
    const machine = machineIn8086('fb 9c fa 9d', IOPL); // sti; pushf; cli; popf
    machine.processor(0).step(2);
    expect(top(machine, 1)).toEqual([0x3202]);
    machine.processor(0).step();
    expect(flagsOf(machine)).toBe(VM | IOPL);
    putWords(machine, (STACK << 4) + 0xffe, [0x0ed7]);
    machine.processor(0).step();
    expect(flagsOf(machine)).toBe(VM | IOPL | 0xed5n);
  });

  it('IRET pops IP, CS and FLAGS at IOPL 3', () => {
    const machine = machineIn8086('cf', IOPL);
    putWords(machine, (STACK << 4) + 0x1000, [0x20, 0x1100, 0x0202]);
    machine.processor(0).step();
    expect(read(machine, 'RIP', 'CS.base', 'RSP')).toEqual([0x20n, 0x1_1000n, 0x1006n]);
    expect(flagsOf(machine)).toBe(VM | IOPL | IF);
  });

  it('INT n goes through the IDT at IOPL 3', () => {
    const machine = machineIn8086('cd 40', IOPL);
    writeGate(machine, 0x40, { dpl: 3 });
    expect(machine.processor(0).step()).toEqual({ kind: 'completed' });
    expect(read(machine, 'RIP', 'CS.selector')).toEqual([BigInt(HANDLER), 8n]);
  });
});

describe('CR4.VME', () => {
  it('lets CLI and STI change VIF instead of IF', () => {
    const machine = machineIn8086('fb fa', IF, VME);
    machine.processor(0).step();
    expect(flagsOf(machine)).toBe(VM | IF | VIF);
    machine.processor(0).step();
    expect(flagsOf(machine)).toBe(VM | IF);
  });

  it('makes STI #GP(0) while a virtual interrupt is pending', () => {
    const machine = machineIn8086('fb', VIP, VME);
    expect(machine.processor(0).step()).toMatchObject({ vector: '#GP', rule: 'core.sti.vip' });
  });

  it('shows VIF as IF and IOPL as 3 to PUSHF, and takes them from POPF and IRET', () => {
    const machine = machineIn8086('9c 9d cf', IF | VIF, VME);
    machine.processor(0).step();
    expect(top(machine, 1)).toEqual([0x3202]);
    putWords(machine, (STACK << 4) + 0xffe, [0x0041]);
    machine.processor(0).step();
    expect(flagsOf(machine)).toBe(VM | IF | 0x41n);
    putWords(machine, (STACK << 4) + 0x1000, [0x77, 0x1000, 0x0200]);
    machine.processor(0).step();
    expect(flagsOf(machine)).toBe(VM | IF | VIF);
    expect(read(machine, 'RIP')).toEqual([0x77n]);
  });

  it.each([
    ['TF', 0x100, 0n],
    ['IF while VIP is set', 0x200, VIP],
  ])('POPF of %s is #GP(0)', (_what, image, flags) => {
    const machine = machineIn8086('9d', flags, VME);
    putWords(machine, (STACK << 4) + 0x1000, [image]);
    expect(machine.processor(0).step()).toMatchObject({ vector: '#GP', rule: 'core.virtual-8086.vip-or-tf' });
    expect(read(machine, 'CS.selector')).toEqual([8n]);
  });

  it('holds back the 32-bit forms', () => {
    expect(machineIn8086('66 9c', 0n, VME).processor(0).step()).toMatchObject({ rule: 'core.pushfd.iopl' });
  });

  it('sends INT n to the program whose bit in the TSS is 0', () => {
    const machine = machineIn8086('cd 40', IF | VIF, VME);
    machine.processor(0).set('TR.limit', 0xa9n);
    putWords(machine, TSS + 102, [0x88]);
    putWords(machine, 0x40 * 4, [0x30, 0x1500]);
    expect(machine.processor(0).step()).toEqual({ kind: 'completed' });
    expect(read(machine, 'RIP', 'CS.base', 'RSP')).toEqual([0x30n, 0x1_5000n, 0xffan]);
    expect(top(machine, 3)).toEqual([2, PROGRAM, 0x3202]);
    expect(flagsOf(machine)).toBe(VM | IF);
  });

  it('sends INT n to the monitor whose bit is 1', () => {
    const machine = machineIn8086('cd 40', 0n, VME);
    machine.processor(0).set('TR.limit', 0xa9n);
    putWords(machine, TSS + 102, [0x88]);
    machine.writeMemory(TSS + 0x68 + 8, Uint8Array.of(1));
    expect(machine.processor(0).step()).toMatchObject({ vector: '#GP', rule: 'core.int.iopl' });
  });
});

describe('CR4.PVI', () => {
  it('gives protected mode at CPL 3 a virtual interrupt flag', () => {
    const machine = protectedMachine('fb fa', 3);
    const cpu = machine.processor(0);
    cpu.set('CR4', 2n);
    cpu.step();
    expect(flagsOf(machine)).toBe(VIF);
    cpu.step();
    expect(flagsOf(machine)).toBe(0n);
  });
});
