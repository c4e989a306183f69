// Delivery through 16- and 32-bit gates, and the IRET that ends it.
import { describe, expect, it } from 'vitest';
import type { Machine } from '../../src/machine/machine.js';
import { CODE, hex } from '../support/booted-machine.js';
import {
  doublewords,
  type GateFields,
  HANDLER,
  KERNEL_STACK,
  protectedMachine,
  SELECTOR,
  TSS,
  USER_STACK,
  words,
  writeGate,
  writeStack,
} from '../support/protected-machine.js';

const INT_40 = 'cd 40';
const UD2 = '0f 0b';
const IRETD = hex('cf');

function machineWithGate(code: string, cpl: 0 | 3, vector: number, fields: GateFields): Machine {
  const machine = protectedMachine(code, cpl);
  writeGate(machine, vector, fields);
  machine.writeMemory(HANDLER, Uint8Array.from(IRETD));
  return machine;
}

const registers = (machine: Machine, ...names: readonly string[]): bigint[] =>
  names.map((name) => machine.processor(0).read(name));

describe('a gate at the same level', () => {
  it('of 32 bits pushes EFLAGS, CS and EIP, and IRET takes them back', () => {
    const machine = machineWithGate(INT_40, 0, 0x40, {});
    machine.processor(0).set('RFLAGS', 0x202n);
    expect(machine.processor(0).step()).toEqual({ kind: 'completed' });
    expect(registers(machine, 'RIP', 'RSP', 'RFLAGS')).toEqual([BigInt(HANDLER), BigInt(KERNEL_STACK - 12), 2n]);
    expect(doublewords(machine, KERNEL_STACK - 12, 3)).toEqual([CODE + 2, SELECTOR.code0, 0x202]);
    expect(machine.processor(0).step()).toEqual({ kind: 'completed' });
    expect(registers(machine, 'RIP', 'RSP', 'RFLAGS')).toEqual([BigInt(CODE + 2), BigInt(KERNEL_STACK), 0x202n]);
  });

  it('of 16 bits pushes words and takes the low word of the offset; a trap gate leaves IF', () => {
    const machine = machineWithGate(INT_40, 0, 0x40, { type: 7, offset: 0x1234_5678 });
    machine.processor(0).set('RFLAGS', 0x202n);
    machine.processor(0).step();
    expect(registers(machine, 'RIP', 'RSP', 'RFLAGS')).toEqual([0x5678n, BigInt(KERNEL_STACK - 6), 0x202n]);
    expect(words(machine, KERNEL_STACK - 6, 3)).toEqual([(CODE + 2) & 0xffff, SELECTOR.code0, 0x202]);
  });

  it('leads to conforming code without a change of level', () => {
    const machine = machineWithGate(INT_40, 3, 0x40, { selector: SELECTOR.conforming });
    machine.processor(0).step();
    expect(registers(machine, 'CS.selector', 'SS.selector', 'RSP')).toEqual([
      BigInt(SELECTOR.conforming | 3),
      BigInt(SELECTOR.data3 | 3),
      BigInt(USER_STACK - 12),
    ]);
  });
});

describe('a gate to an inner level', () => {
  it('switches to SS0:ESP0, pushes the old stack and an error code, and IRET nulls privileged data segments', () => {
    const machine = machineWithGate('8e c0', 3, 13, {}); // mov es, ax
    const cpu = machine.processor(0);
    cpu.set('RAX', BigInt(SELECTOR.data0 | 3));
    expect(cpu.step()).toMatchObject({ vector: '#GP', errorCode: SELECTOR.data0 });
    expect(registers(machine, 'CS.selector', 'SS.selector', 'RSP')).toEqual([
      BigInt(SELECTOR.code0),
      BigInt(SELECTOR.data0),
      BigInt(KERNEL_STACK - 24),
    ]);
    const code3 = SELECTOR.code3 | 3;
    expect(doublewords(machine, KERNEL_STACK - 24, 6)).toEqual([
      SELECTOR.data0,
      CODE,
      code3,
      0x1_0002,
      USER_STACK,
      SELECTOR.data3 | 3,
    ]);
    cpu.set('RSP', BigInt(KERNEL_STACK - 20));
    cpu.set('DS.selector', BigInt(SELECTOR.data0));
    cpu.set('DS.attributes', 0xc093n);
    expect(cpu.step()).toEqual({ kind: 'completed' });
    expect(registers(machine, 'CS.selector', 'RIP', 'SS.selector', 'RSP', 'DS.selector', 'ES.selector')).toEqual([
      BigInt(code3),
      BigInt(CODE),
      BigInt(SELECTOR.data3 | 3),
      BigInt(USER_STACK),
      0n,
      BigInt(SELECTOR.data3 | 3),
    ]);
  });

  it('takes SS0:SP0 of a 16-bit TSS', () => {
    const machine = machineWithGate(INT_40, 3, 0x40, {});
    machine.processor(0).set('TR.attributes', 0x83n);
    machine.processor(0).set('TR.limit', 0x2bn);
    machine.writeMemory(TSS + 2, Uint8Array.of(0x00, 0x70, SELECTOR.data0, 0));
    machine.processor(0).step();
    expect(registers(machine, 'RSP', 'SS.selector')).toEqual([0x7000n - 20n, BigInt(SELECTOR.data0)]);
  });
});

describe('what a software interrupt meets on its way', () => {
  const outcome = (machine: Machine) => machine.processor(0).step();

  it.each([
    ['a vector beyond the IDT', {}, '#GP', 0xff * 8 + 2, 'core.idt.limit', 'cd ff'],
    ['a call gate', { type: 0xc }, '#GP', 0x202, 'core.idt.gate-type'],
    ['a gate of a lower DPL', { dpl: 0 }, '#GP', 0x202, 'core.idt.gate-dpl'],
    ['a gate that is not present', { present: false }, '#NP', 0x202, 'core.idt.gate-present'],
    ['a null code selector', { selector: 3 }, '#GP', 0, 'core.idt.target-null'],
    ['a code selector beyond the GDT', { selector: SELECTOR.beyond }, '#GP', 0x100, 'core.idt.target-limit'],
    ['data', { selector: SELECTOR.data0 }, '#GP', SELECTOR.data0, 'core.idt.target-type'],
    ['code that is not present', { selector: SELECTOR.absentCode }, '#NP', 0x30, 'core.idt.target-present'],
    [
      'an offset beyond the limit',
      { selector: SELECTOR.shortCode, offset: 0x1000 },
      '#GP',
      0,
      'core.idt.target-offset',
    ],
  ])('%s', (_what, fields, name, errorCode, rule, code = INT_40) => {
    const machine = machineWithGate(code, 3, 0x40, fields);
    expect(outcome(machine)).toMatchObject({
      kind: 'shutdown',
      chain: [{ vector: name, errorCode, rule }, {}, {}, {}],
    });
  });

  it.each([
    ['a null SS0', 0, '#TS', 0, 'core.tss.ss-null'],
    ['SS0 beyond the GDT', SELECTOR.beyond, '#TS', 0x100, 'core.tss.ss-limit'],
    ['SS0 with another RPL', SELECTOR.data0 | 3, '#TS', SELECTOR.data0, 'core.tss.ss-rpl'],
    ['SS0 with another DPL', SELECTOR.data3, '#TS', SELECTOR.data3, 'core.tss.ss-dpl'],
    ['a read-only SS0', SELECTOR.readOnly, '#TS', SELECTOR.readOnly, 'core.tss.ss-type'],
    ['an SS0 that is not present', SELECTOR.absentData, '#SS', SELECTOR.absentData, 'core.tss.ss-present'],
    ['an SS0 without room', SELECTOR.smallStack, '#SS', SELECTOR.smallStack, 'core.stack.room'],
  ])('%s', (_what, selector, name, errorCode, rule) => {
    const machine = machineWithGate(INT_40, 3, 0x40, {});
    writeStack(machine, selector, 8);
    const { chain } = outcome(machine) as { chain?: readonly unknown[] };
    expect(chain?.[0]).toEqual({ kind: 'fault', vector: name, errorCode, rule });
    // Registers are those of the instruction boundary.
    expect(registers(machine, 'RIP', 'RSP', 'CS.selector')).toEqual([
      BigInt(CODE),
      BigInt(USER_STACK),
      BigInt(SELECTOR.code3 | 3),
    ]);
  });

  it('a TSS that is too short for SS0:ESP0 by one byte', () => {
    const machine = machineWithGate(INT_40, 3, 0x40, {});
    machine.processor(0).set('TR.limit', 8n);
    expect(outcome(machine)).toMatchObject({
      chain: [{ vector: '#TS', errorCode: 0x60, rule: 'core.tss.limit' }, {}, {}, {}],
    });
    machine.processor(0).set('activity', 0n);
    machine.processor(0).set('TR.limit', 9n);
    expect(outcome(machine)).toEqual({ kind: 'completed' });
  });

  it('is named with EXT when an exception was delivered', () => {
    const machine = machineWithGate(UD2, 0, 6, { selector: SELECTOR.absentCode });
    writeGate(machine, 11, {});
    machine.processor(0).step();
    expect(doublewords(machine, registers(machine, 'RSP')[0] ?? 0n, 1)).toEqual([SELECTOR.absentCode | 1]);
  });
});
