import { describe, expect, it } from 'vitest';
import type { Machine } from '../../src/machine/machine.js';
import { CODE, hex, machineWith } from '../support/booted-machine.js';
import { type GateFields, HANDLER, IDT, machineWithIdt as idtMachine } from '../support/idt.js';

const IST_STACK = 0x40_0000;
const TSS = 0x21_0000;

const machineWithIdt = (code: readonly number[], ...gates: readonly GateFields[]): Machine => idtMachine(code, gates);

const quads = (machine: Machine, address: number, count: number): bigint[] =>
  Array.from({ length: count }, (_, index) =>
    new DataView(machine.readMemory(address + index * 8, 8).buffer).getBigUint64(0, true),
  );

const UD2 = hex('0f 0b');
/** mov rax, [0x80000000000 - non-canonical] */
const GP = hex('48 b8 00 00 00 00 00 00 00 80 8b 00');

describe('an exception in 64-bit mode', () => {
  it('pushes SS, RSP, RFLAGS with RF, CS and RIP on a stack aligned to 16 bytes and clears IF through an interrupt gate', () => {
    const machine = machineWithIdt(UD2, { vector: 6 });
    const cpu = machine.processor(0);
    cpu.set('RSP', 0x7fe9n);
    cpu.set('RFLAGS', 0x202n);
    expect(cpu.step()).toEqual({ kind: 'fault', vector: '#UD', rule: expect.any(String) as string });
    expect(cpu.read('RIP')).toBe(BigInt(HANDLER));
    expect(cpu.read('RSP')).toBe(0x7fe0n - 40n);
    expect(quads(machine, 0x7fe0 - 40, 5)).toEqual([BigInt(CODE), 8n, 0x1_0202n, 0x7fe9n, 0x10n]);
    expect(cpu.read('RFLAGS')).toBe(2n);
  });

  it('leaves IF through a trap gate and pushes an error code where the exception has one', () => {
    const machine = machineWithIdt(GP, { vector: 13, type: 0xf });
    const cpu = machine.processor(0);
    cpu.set('RFLAGS', 0x202n);
    expect(cpu.step(2)).toMatchObject({ kind: 'fault', vector: '#GP', errorCode: 0 });
    expect(cpu.read('RFLAGS')).toBe(0x202n);
    expect(quads(machine, Number(cpu.read('RSP')), 2)).toEqual([0n, BigInt(CODE + 10)]);
  });

  it('switches to the stack of the interrupt stack table', () => {
    const machine = machineWithIdt(UD2, { vector: 6, ist: 3 });
    const cpu = machine.processor(0);
    cpu.set('TR.base', BigInt(TSS));
    cpu.set('TR.limit', 0x67n);
    const pointer = new Uint8Array(8);
    new DataView(pointer.buffer).setBigUint64(0, BigInt(IST_STACK), true);
    machine.writeMemory(TSS + 36 + 2 * 8, pointer);
    cpu.step();
    expect(cpu.read('RSP')).toBe(BigInt(IST_STACK - 40));
  });

  it('writes the linear address of a page fault to CR2', () => {
    const machine = machineWithIdt(hex('48 b8 00 00 00 00 00 70 00 00 8b 00'), { vector: 14 });
    const cpu = machine.processor(0);
    expect(cpu.step(2)).toMatchObject({
      vector: '#PF',
      errorCode: 0,
      address: 0x7000_0000_0000n,
      rule: 'core.paging.present',
    });
    expect(cpu.read('CR2')).toBe(0x7000_0000_0000n);
  });

  it.each([
    ['a gate that is not present', { present: false }, '#NP'],
    ['a gate of another type', { type: 0xc }, '#GP'],
    ['a null code selector', { selector: 0 }, '#GP'],
    ['a data segment', { selector: 0x10 }, '#GP'],
    ['a selector beyond the GDT', { selector: 0x40 }, '#GP'],
  ])('after %s in its gate raises another one, which is delivered in turn', (_, fields, second) => {
    const machine = machineWithIdt(
      UD2,
      { vector: 6, ...fields },
      { vector: 11, offset: HANDLER + 16 },
      { vector: 13, offset: HANDLER + 32 },
    );
    const cpu = machine.processor(0);
    expect(cpu.step()).toMatchObject({ kind: 'fault', vector: '#UD' });
    expect(cpu.read('RIP')).toBe(BigInt(HANDLER + (second === '#NP' ? 16 : 32)));
    const [code] = quads(machine, Number(cpu.read('RSP')), 1);
    // EXT is set; IDT tells a gate from a selector.
    expect(Number(code) & 1).toBe(1);
  });

  it('becomes a double fault when a contributory exception follows a contributory one', () => {
    const machine = machineWithIdt(
      GP,
      { vector: 13, present: false },
      { vector: 11 },
      { vector: 8, offset: HANDLER + 64 },
    );
    const cpu = machine.processor(0);
    cpu.step(2);
    expect(cpu.read('RIP')).toBe(BigInt(HANDLER + 64));
    expect(quads(machine, Number(cpu.read('RSP')), 1)).toEqual([0n]);
  });

  it('does not enter a handler whose offset is not canonical: #GP with EXT is raised, and nothing is pushed for the first', () => {
    const machine = machineWithIdt(UD2, { vector: 6 }, { vector: 13, offset: HANDLER + 32 });
    const high = new Uint8Array(4);
    new DataView(high.buffer).setUint32(0, 0x8000_0000, true);
    machine.writeMemory(IDT + 6 * 16 + 8, high);
    const cpu = machine.processor(0);
    const stack = cpu.read('RSP') & ~0xfn;
    cpu.step();
    expect([cpu.read('RIP'), cpu.read('RSP')]).toEqual([BigInt(HANDLER + 32), stack - 48n]);
    expect(quads(machine, Number(stack) - 48, 2)).toEqual([1n, BigInt(CODE)]);
  });

  it('names the external event in #SS for a stack that is not canonical', () => {
    const machine = machineWithIdt(UD2, { vector: 6 }, { vector: 12, ist: 1 });
    const cpu = machine.processor(0);
    cpu.set('TR.base', BigInt(TSS));
    cpu.set('TR.limit', 0x67n);
    cpu.set('RSP', 0x8000_0000_0000n + 0x100n);
    const pointer = new Uint8Array(8);
    new DataView(pointer.buffer).setBigUint64(0, BigInt(IST_STACK), true);
    machine.writeMemory(TSS + 36, pointer);
    cpu.step();
    expect(quads(machine, IST_STACK - 48, 2)).toEqual([1n, BigInt(CODE)]);
  });

  it('does not name an external event in #TS for a software interrupt', () => {
    const machine = machineWithIdt(hex('cd 40'), { vector: 0x40, ist: 1 }, { vector: 10 });
    const cpu = machine.processor(0);
    cpu.set('TR.selector', 0x28n);
    cpu.set('TR.limit', 0n);
    expect(cpu.step()).toMatchObject({ vector: '#TS', errorCode: 0x28 });
  });

  it('leaves the address of the second page fault in CR2 when two of them become a double fault', () => {
    const machine = machineWithIdt(hex('48 a1 00 00 00 00 00 70 00 00'), { vector: 14 }, { vector: 8, ist: 1 });
    const cpu = machine.processor(0);
    cpu.set('TR.base', BigInt(TSS));
    cpu.set('TR.limit', 0x67n);
    cpu.set('RSP', 0x6000_0000_0000n);
    const pointer = new Uint8Array(8);
    new DataView(pointer.buffer).setBigUint64(0, BigInt(IST_STACK), true);
    machine.writeMemory(TSS + 36, pointer);
    expect(cpu.step()).toMatchObject({ vector: '#PF', address: 0x7000_0000_0000n });
    expect([cpu.read('RIP'), cpu.read('CR2')]).toEqual([BigInt(HANDLER), 0x5fff_ffff_fff8n]);
  });

  it('shuts the processor down when the double fault cannot be delivered, and nothing runs after that', () => {
    const machine = machineWith(UD2);
    expect(machine.run().stop).toMatchObject({ reason: 'shutdown', processor: 0, outcome: { kind: 'shutdown' } });
    expect(machine.state.processors[0]?.activity).toBe('shutdown');
    expect(machine.run()).toEqual({ steps: 0, stop: { reason: 'waiting' } });
  });

  it('in real-address mode goes through the interrupt vector table', () => {
    const machine = machineWith(UD2, {
      boot: {
        mode: 'real',
        segments: [
          { address: 0x7c00, bytes: Uint8Array.from(UD2) },
          { address: 24, bytes: Uint8Array.of(0x34, 0x12, 0x00, 0x10) },
        ],
        entry: 0x7c00,
      },
    });
    const cpu = machine.processor(0);
    expect(cpu.step()).toMatchObject({ kind: 'fault', vector: '#UD' });
    expect([cpu.read('CS.selector'), cpu.read('CS.base'), cpu.read('RIP'), cpu.read('RSP')]).toEqual([
      0x1000n,
      0x1_0000n,
      0x1234n,
      0x7ffan,
    ]);
  });
});
