// Hardware task switches by each way, in both formats of a TSS, and the checks before and after the commit point.
import { describe, expect, it } from 'vitest';
import type { Machine } from '../../src/machine/machine.js';
import { CODE } from '../support/booted-machine.js';
import {
  doublewords,
  gateOf,
  protectedMachine,
  quad,
  SELECTOR,
  TSS,
  words,
  writeDescriptor,
  writeGate,
} from '../support/protected-machine.js';

/** The current task, the other one, and a task gate, in the GDT. */
const OLD = 0x60;
const NEW = 0x68;
const TASK_GATE = 0x70;
const NEW_TSS = 0x2_3000;
const TARGET = 0x30_0000;
const STACK = 0x9000;

const JMP = 'ea 00 00 00 00 68 00';
const CALL = '9a 00 00 00 00 68 00';
const JMP_GATE = 'ea 00 00 00 00 70 00';

const tssDescriptor = (base: number, attributes = 0x89, limit = 0x67): bigint =>
  BigInt(limit) | (BigInt(base & 0xff_ffff) << 16n) | (BigInt(attributes) << 40n) | (BigInt(base >>> 24) << 56n);

const put = (machine: Machine, address: number, bytes: 2 | 4, value: number): void =>
  void machine.writeMemory(address, Uint8Array.from(quad(BigInt(value >>> 0))).subarray(0, bytes));

type Fields = Readonly<Record<number, number>>;
/** Offsets of a 32-bit TSS. */
const EIP = 32;
const FLAGS = 36;
const ES = 72;
const CS = 76;
const SS = 80;
const DS = 84;
const LDT = 96;
const TRAP = 100;

const READY: Fields = {
  [EIP]: TARGET,
  [FLAGS]: 2,
  40: 0xaaaa_0000,
  44: 0xcccc_0001,
  48: 0xdddd_0002,
  52: 0xbbbb_0003,
  56: STACK,
  60: 0x5,
  64: 0x6,
  68: 0x7,
  [ES]: SELECTOR.data0,
  [CS]: SELECTOR.code0,
  [SS]: SELECTOR.data0,
  [DS]: SELECTOR.data0,
  88: SELECTOR.data0,
  92: 0,
  [LDT]: 0,
  [TRAP]: 0,
};

/** A machine with two tasks; the fields of the second one's TSS may be other ones. */
function twoTasks(code: string, fields: Fields = {}, cpl: 0 | 3 = 0): Machine {
  const machine = protectedMachine(code, cpl);
  machine.processor(0).set('GDTR.limit', 0x7fn);
  writeDescriptor(machine, OLD, tssDescriptor(TSS, 0x8b));
  writeDescriptor(machine, NEW, tssDescriptor(NEW_TSS));
  writeDescriptor(machine, TASK_GATE, gateOf({ selector: NEW, type: 5, offset: 0 }));
  for (const [offset, value] of Object.entries({ ...READY, ...fields }))
    put(machine, NEW_TSS + Number(offset), 4, value);
  return machine;
}

const read = (machine: Machine, ...names: readonly string[]) => names.map((name) => machine.processor(0).read(name));
const isBusy = (machine: Machine, selector: number): boolean =>
  ((machine.readMemory(0x2_0000 + selector + 5, 1)[0] ?? 0) & 2) !== 0;

describe('a far JMP to a TSS', () => {
  it('loads the new task and saves the old one', () => {
    const machine = twoTasks(JMP);
    const cpu = machine.processor(0);
    for (const [index, name] of ['RAX', 'RCX', 'RDX', 'RBX'].entries()) cpu.set(name, BigInt(0x1000 + index));
    cpu.set('DR7', 0x7ffn);
    expect(cpu.step()).toEqual({ kind: 'completed' });
    expect(read(machine, 'RIP', 'RAX', 'RBX', 'RSP', 'RDI', 'RFLAGS')).toEqual([
      BigInt(TARGET),
      0xaaaa_0000n,
      0xbbbb_0003n,
      BigInt(STACK),
      7n,
      2n,
    ]);
    expect(read(machine, 'CS.selector', 'SS.attributes', 'GS.attributes', 'TR.selector', 'TR.base')).toEqual([
      8n,
      0xc093n,
      0x1_0000n,
      BigInt(NEW),
      BigInt(NEW_TSS),
    ]);
    expect((cpu.read('CR0') >> 3n) & 1n).toBe(1n); // TS
    expect(cpu.read('DR7')).toBe(0x6aan); // L0 to L3 and LE are gone
    expect(doublewords(machine, TSS + EIP, 4)).toEqual([CODE + 7, 2, 0x1000, 0x1001]);
    expect(words(machine, TSS + CS, 1)).toEqual([SELECTOR.code0]);
    expect([isBusy(machine, OLD), isBusy(machine, NEW)]).toEqual([false, true]);
    expect(words(machine, NEW_TSS, 1)).toEqual([0]); // not nested: no link
  });

  it('goes through a task gate, whose DPL counts instead of that of the TSS', () => {
    const machine = twoTasks(JMP_GATE, {}, 3);
    machine.processor(0).step();
    expect(read(machine, 'RIP', 'TR.selector', 'CS.selector')).toEqual([BigInt(TARGET), BigInt(NEW), 8n]);
    expect(words(machine, TSS + SS, 1)).toEqual([SELECTOR.data3 | 3]);
  });

  it('loads CR3 while paging is on', () => {
    const machine = twoTasks(JMP, { 28: 0x5_1000 });
    for (const [table, entry] of [
      [0x5_0000, 0x83],
      [0x5_1000, 0x83],
    ] as const)
      put(machine, table, 4, entry);
    const cpu = machine.processor(0);
    cpu.set('CR3', 0x5_0000n);
    cpu.set('CR4', 0x10n); // PSE: one page of 4 MiB
    cpu.set('CR0', 0x8000_0011n);
    cpu.step();
    expect(read(machine, 'CR3', 'RIP')).toEqual([0x5_1000n, BigInt(TARGET)]);
  });

  it('loads the PDPTEs of PAE paging, and refuses reserved bits in them before anything happens', () => {
    const machine = twoTasks(JMP, { 28: 0x5_2000 });
    put(machine, 0x5_0000, 4, 0x5_1001);
    put(machine, 0x5_2000, 4, 0x5_1001);
    put(machine, 0x5_1000, 4, 0x83);
    put(machine, 0x5_1008, 4, 0x20_0083);
    const cpu = machine.processor(0);
    cpu.set('PDPTE0', 0x5_1001n);
    cpu.set('CR3', 0x5_0000n);
    cpu.set('CR4', 0x20n);
    cpu.set('CR0', 0x8000_0011n);
    writeGate(machine, 13, {});
    put(machine, 0x5_2008, 4, 3);
    expect(cpu.step()).toMatchObject({ vector: '#GP', errorCode: 0, rule: 'core.mov-cr.pdpte-reserved' });
    expect(read(machine, 'TR.selector', 'CR3')).toEqual([BigInt(OLD), 0x5_0000n]);
    put(machine, 0x5_2008, 4, 0x5_3001);
    cpu.set('RIP', BigInt(CODE));
    cpu.step();
    expect(read(machine, 'TR.selector', 'CR3', 'PDPTE1')).toEqual([BigInt(NEW), 0x5_2000n, 0x5_3001n]);
  });

  it('raises #DB in the new task if its TSS has the trap flag', () => {
    const machine = twoTasks(JMP, { [TRAP]: 1 });
    writeGate(machine, 1, {});
    const cpu = machine.processor(0);
    cpu.step();
    expect(cpu.read('RIP')).toBe(BigInt(TARGET));
    expect(cpu.step()).toMatchObject({ kind: 'fault', vector: '#DB' });
    expect(cpu.read('DR6') & 0xe000n).toBe(0x8000n); // BT
    expect(doublewords(machine, cpu.read('RSP'), 1)).toEqual([TARGET]);
  });

  it('enters virtual-8086 mode if the flags of the task say so', () => {
    const machine = twoTasks(JMP, { [FLAGS]: 0x2_0002, [CS]: 0x1000, [SS]: 0x900, [EIP]: 0x10, 56: 0xfffe });
    machine.processor(0).step();
    expect(read(machine, 'CS.base', 'CS.limit', 'SS.base', 'SS.attributes', 'RIP')).toEqual([
      0x1_0000n,
      0xffffn,
      0x9000n,
      0xf3n,
      0x10n,
    ]);
  });
});

describe('a far CALL to a TSS and IRET', () => {
  it('nest the new task and come back', () => {
    const machine = twoTasks(CALL);
    machine.writeMemory(TARGET, Uint8Array.of(0xcf));
    const cpu = machine.processor(0);
    cpu.step();
    expect(words(machine, NEW_TSS, 1)).toEqual([OLD]);
    expect(read(machine, 'RFLAGS')).toEqual([0x4002n]); // NT
    expect([isBusy(machine, OLD), isBusy(machine, NEW)]).toEqual([true, true]);
    cpu.set('RAX', 5n);
    expect(cpu.step()).toEqual({ kind: 'completed' });
    expect(read(machine, 'RIP', 'TR.selector', 'RFLAGS')).toEqual([BigInt(CODE + 7), BigInt(OLD), 2n]);
    expect([isBusy(machine, OLD), isBusy(machine, NEW)]).toEqual([true, false]);
    expect(doublewords(machine, NEW_TSS + EIP, 3)).toEqual([TARGET + 1, 2, 5]); // without NT
  });

  it('cannot return to a task that is not busy', () => {
    const machine = twoTasks('cf');
    const cpu = machine.processor(0);
    cpu.set('RFLAGS', 0x4002n);
    put(machine, TSS, 2, NEW);
    writeGate(machine, 10, {});
    expect(cpu.step()).toMatchObject({ vector: '#TS', errorCode: NEW, rule: 'core.task-switch.type' });
    expect(doublewords(machine, cpu.read('RSP'), 2)).toEqual([NEW, CODE]);
  });
});

describe('a 16-bit TSS', () => {
  it('is loaded and saved in its own format', () => {
    const machine = twoTasks(JMP);
    writeDescriptor(machine, NEW, tssDescriptor(NEW_TSS, 0x81, 0x2b));
    const fields = [0x1234, 2, 1, 2, 3, 4, 0x8000, 6, 7, 8, SELECTOR.data0, SELECTOR.code0, SELECTOR.data0, 0, 0];
    for (const [index, value] of fields.entries()) put(machine, NEW_TSS + 14 + index * 2, 2, value);
    machine.writeMemory(0x1234, Uint8Array.of(0xea, 0, 0, 0, 0, OLD, 0));
    const cpu = machine.processor(0);
    cpu.step();
    expect(read(machine, 'RIP', 'RAX', 'RDI', 'RSP', 'ES.selector', 'DS.selector', 'FS.selector')).toEqual([
      0x1234n,
      1n,
      8n,
      0x8000n,
      BigInt(SELECTOR.data0),
      0n,
      0n,
    ]);
    cpu.set('RAX', 0xffff_4321n);
    cpu.step();
    expect(words(machine, NEW_TSS + 14, 3)).toEqual([0x123b, 2, 0x4321]);
    expect(read(machine, 'RIP')).toEqual([BigInt(CODE + 7)]);
  });
});

describe('a task gate in the IDT', () => {
  it('makes the handler of an exception a task, with the error code on its stack', () => {
    const machine = twoTasks('8e d8', {}, 3); // mov ds, ax
    writeGate(machine, 13, { selector: NEW, type: 5, dpl: 0, offset: 0 });
    const cpu = machine.processor(0);
    cpu.set('RAX', BigInt(SELECTOR.beyond));
    expect(cpu.step()).toMatchObject({ vector: '#GP', errorCode: SELECTOR.beyond });
    expect(read(machine, 'TR.selector', 'RSP', 'RFLAGS')).toEqual([BigInt(NEW), BigInt(STACK - 4), 0x4002n]);
    expect(doublewords(machine, STACK - 4, 1)).toEqual([SELECTOR.beyond]);
    expect(doublewords(machine, TSS + EIP, 2)).toEqual([CODE, 0x1_0002]); // RF
    expect(words(machine, NEW_TSS, 1)).toEqual([OLD]);
  });

  it('is held to its DPL by INT n, and #TS is what is wrong with the TSS', () => {
    const machine = twoTasks('cd 40', {}, 3);
    writeGate(machine, 0x40, { selector: OLD, type: 5, dpl: 3, offset: 0 });
    writeGate(machine, 10, {});
    expect(machine.processor(0).step()).toMatchObject({ vector: '#TS', errorCode: OLD, rule: 'core.task-switch.type' });
    const guarded = twoTasks('cd 40', {}, 3);
    writeGate(guarded, 0x40, { selector: NEW, type: 5, dpl: 0, offset: 0 });
    writeGate(guarded, 13, {});
    expect(guarded.processor(0).step()).toMatchObject({ vector: '#GP', errorCode: 0x202, rule: 'core.idt.gate-dpl' });
  });
});

describe('what is wrong before the commit point', () => {
  it.each([
    ['a busy task', { [NEW]: tssDescriptor(NEW_TSS, 0x8b) }, '#GP', NEW, 'type'],
    ['a TSS that is not present', { [NEW]: tssDescriptor(NEW_TSS, 0x09) }, '#NP', NEW, 'present'],
    ['a TSS that is too short', { [NEW]: tssDescriptor(NEW_TSS, 0x89, 0x66) }, '#TS', NEW, 'limit'],
  ] as const)('%s leaves the old task as it was', (_what, descriptors, vector, errorCode, rule) => {
    const machine = twoTasks(JMP);
    for (const [selector, descriptor] of Object.entries(descriptors))
      writeDescriptor(machine, Number(selector), descriptor);
    for (const each of [10, 11, 13]) writeGate(machine, each, {});
    const cpu = machine.processor(0);
    expect(cpu.step()).toMatchObject({ vector, errorCode, rule: `core.task-switch.${rule}` });
    expect(read(machine, 'TR.selector')).toEqual([BigInt(OLD)]);
    expect(doublewords(machine, cpu.read('RSP'), 2)).toEqual([errorCode, CODE]);
    expect(isBusy(machine, OLD)).toBe(true);
  });

  it('a TSS above the level of the program is refused', () => {
    const machine = twoTasks(JMP, {}, 3);
    writeGate(machine, 13, {});
    expect(machine.processor(0).step()).toMatchObject({ vector: '#GP', errorCode: NEW, rule: 'core.task-switch.dpl' });
  });

  it('a selector of the LDT in a task gate is refused', () => {
    const machine = twoTasks(JMP_GATE);
    writeDescriptor(machine, TASK_GATE, gateOf({ selector: NEW | 4, type: 5, offset: 0 }));
    writeGate(machine, 13, {});
    expect(machine.processor(0).step()).toMatchObject({ vector: '#GP', errorCode: NEW | 4 });
  });
});

describe('what is wrong after the commit point is raised in the new task', () => {
  it.each([
    ['an LDT that is none', { [LDT]: SELECTOR.data0 }, '#TS', SELECTOR.data0, 'ldt'],
    ['CS null', { [CS]: 0 }, '#TS', 0, 'cs'],
    ['CS that is data', { [CS]: SELECTOR.data0 }, '#TS', SELECTOR.data0, 'cs'],
    ['CS of another level', { [CS]: SELECTOR.code3 }, '#TS', SELECTOR.code3, 'cs-dpl'],
    ['CS that is not present', { [CS]: SELECTOR.absentCode }, '#NP', SELECTOR.absentCode, 'cs-present'],
    ['SS null', { [SS]: 0 }, '#TS', 0, 'ss'],
    ['SS that is code', { [SS]: SELECTOR.code0 }, '#TS', SELECTOR.code0, 'ss'],
    ['SS that is not present', { [SS]: SELECTOR.absentData }, '#SS', SELECTOR.absentData, 'ss-present'],
    ['SS of another level', { [SS]: SELECTOR.data3 | 3 }, '#TS', SELECTOR.data3, 'ss-dpl'],
    ['DS that is beyond the table', { [DS]: SELECTOR.beyond }, '#TS', SELECTOR.beyond, 'data'],
    ['DS that is not present', { [DS]: SELECTOR.absentData }, '#NP', SELECTOR.absentData, 'data-present'],
    ['EIP beyond CS', { [CS]: SELECTOR.shortCode, [EIP]: 0x1000 }, '#GP', 0, 'ip'],
  ] as const)('%s', (_what, fields, vector, errorCode, rule) => {
    // The handlers are a third task: the new one may have no stack.
    const machine = twoTasks(JMP, fields);
    const third = 0x78;
    const thirdTss = 0x2_4000;
    writeDescriptor(machine, third, tssDescriptor(thirdTss));
    for (const [offset, value] of Object.entries({ ...READY, [EIP]: TARGET + 0x100 }))
      put(machine, thirdTss + Number(offset), 4, value);
    for (const each of [10, 11, 12, 13]) writeGate(machine, each, { selector: third, type: 5, dpl: 0, offset: 0 });
    const cpu = machine.processor(0);
    expect(cpu.step()).toMatchObject({ vector, errorCode, rule: `core.task-switch.${rule}` });
    expect(read(machine, 'TR.selector', 'RIP')).toEqual([BigInt(third), BigInt(TARGET + 0x100)]);
    expect(words(machine, thirdTss, 1)).toEqual([NEW]);
    expect(doublewords(machine, STACK - 4, 1)).toEqual([errorCode]);
    const eip = EIP in fields ? fields[EIP] : TARGET;
    expect(doublewords(machine, NEW_TSS + EIP, 1)).toEqual([eip]); // it is the new task that was interrupted
    expect(doublewords(machine, TSS + EIP, 1)).toEqual([CODE + 7]);
  });

  it('makes an exception that leads to a broken task a double fault', () => {
    const machine = twoTasks('8e d8', { [SS]: 0 });
    writeGate(machine, 13, { selector: NEW, type: 5, dpl: 0, offset: 0 });
    const cpu = machine.processor(0);
    cpu.set('RAX', BigInt(SELECTOR.beyond));
    expect(cpu.step()).toMatchObject({ kind: 'shutdown' });
    expect(read(machine, 'TR.selector')).toEqual([BigInt(NEW)]);
  });
});
