import { describe, expect, it } from 'vitest';
import { ioApic } from '../../src/interrupt/io-apic.js';
import { pic } from '../../src/interrupt/pic.js';
import type { Machine } from '../../src/machine/machine.js';
import { hpet } from '../../src/platform/hpet.js';
import { pit } from '../../src/platform/pit.js';
import { load, store } from '../support/bare-access.js';
import { hex } from '../support/booted-machine.js';
import { HANDLER, machineWithIdt } from '../support/idt.js';

const BASE = 0xfed0_0000;
const [CONFIGURATION, STATUS, COUNTER] = [0x10, 0x20, 0xf0];
const timer = (index: number) => 0x100 + 0x20 * index;
const comparator = (index: number) => timer(index) + 8;
const [LEVEL, ENABLED, PERIODIC, SET, BITS_32] = [2, 4, 8, 0x40, 0x100];
const route = (pin: number) => pin << 9;
const [ENABLE, LEGACY] = [1, 2];
const CYCLES_PER_TICK = 10;
const VECTOR = 0x50;

/** The handler counts in EBX; inputs 2, 8 and 20 of the I/O APIC are open at VECTOR plus their number. */
function make(): Machine {
  const gates = [2, 8, 20].map((pin) => ({ vector: VECTOR + pin }));
  const machine = machineWithIdt(hex('fb f4 eb fd'), gates, { plugins: [pic, pit, ioApic, hpet] });
  // inc ebx; mov edi, 0fee000b0h; mov [rdi], eax; iretq
  machine.writeMemory(HANDLER, Uint8Array.from(hex('ff c3 bf b0 00 e0 fe 89 07 48 cf')));
  machine.processor(0).set('RBX', 0n);
  machine.processor(0).set('APIC_SVR', 0x1ffn);
  for (const pin of [2, 8, 20]) {
    store(machine, 0xfec0_0000, 0x10 + 2 * pin);
    store(machine, 0xfec0_0010, VECTOR + pin);
  }
  return machine;
}
const set = (machine: Machine, register: number, value: number) => store(machine, BASE + register, value);
const get = (machine: Machine, register: number) => load(machine, BASE + register);
const interrupts = (machine: Machine) => Number(machine.processor(0).read('RBX'));
const cycles = (machine: Machine) => Number(machine.processor(0).read('cycles'));

describe('the registers of the HPET', () => {
  it('say what it is: 100 MHz, three timers, and where they may go', () => {
    const machine = make();
    expect([get(machine, 0), get(machine, 4)]).toEqual([0x8086_a201, 10_000_000]);
    expect([get(machine, timer(2)), get(machine, timer(2) + 4), get(machine, timer(3))]).toEqual([0x30, 0xff_0104, 0]);
    set(machine, timer(1), 0xffff_ffff);
    expect(get(machine, timer(1))).toBe((0x3f7e & ~0x30) | 0x30);
  });

  it('count at 10 ns while enabled, from what was written', () => {
    const machine = make();
    set(machine, COUNTER, 0xffff_fff0);
    set(machine, COUNTER + 4, 1);
    expect([get(machine, COUNTER), get(machine, COUNTER + 4)]).toEqual([0xffff_fff0, 1]);
    set(machine, CONFIGURATION, ENABLE);
    machine.writeMemory(machine.processor(0).read('RIP'), new Uint8Array(1000).fill(0x90));
    machine.processor(0).step(50 * CYCLES_PER_TICK);
    const [low, high] = [get(machine, COUNTER), get(machine, COUNTER + 4)];
    expect([low >= 0x22 && low <= 0x23, high]).toEqual([true, 2]);
    set(machine, CONFIGURATION, 0);
    const halted = get(machine, COUNTER);
    machine.processor(0).step(100);
    expect(get(machine, COUNTER)).toBe(halted);
  });
});

describe('a timer of the HPET', () => {
  it('interrupts once when the counter meets the comparator', () => {
    const machine = make();
    set(machine, timer(0), ENABLED | route(20));
    set(machine, comparator(0), 1000);
    set(machine, comparator(0) + 4, 0);
    set(machine, CONFIGURATION, ENABLE);
    const start = Math.floor((cycles(machine) - 1) / CYCLES_PER_TICK);
    machine.run({ maxSteps: 3 });
    expect(machine.processor(0).read('RIP')).toBe(BigInt(HANDLER));
    expect(cycles(machine) - 1).toBe((start + 1000) * CYCLES_PER_TICK);
    expect(machine.run({ maxSteps: 100 }).stop).toEqual({ reason: 'waiting' });
    expect(interrupts(machine)).toBe(1);
  });

  it('interrupts each period, the first time when the comparator was set to', () => {
    const machine = make();
    set(machine, timer(1), ENABLED | PERIODIC | SET | BITS_32 | route(20));
    set(machine, comparator(1), 500);
    set(machine, comparator(1), 100);
    expect(get(machine, timer(1)) & SET).toBe(0);
    set(machine, CONFIGURATION, ENABLE);
    const start = cycles(machine);
    machine.run({ maxSteps: 1000 });
    const ticks = (cycles(machine) - start) / CYCLES_PER_TICK;
    expect(interrupts(machine)).toBeGreaterThan(100);
    expect(Math.abs(interrupts(machine) - (ticks - 400) / 100)).toBeLessThanOrEqual(1);
    expect(get(machine, comparator(1)) % 100).toBe(0);
  });

  it('meets the counter again after 2^32 ticks in 32-bit mode', () => {
    const machine = make();
    set(machine, COUNTER, 0x2000);
    set(machine, timer(0), ENABLED | BITS_32 | route(20));
    set(machine, comparator(0), 0x1000);
    set(machine, CONFIGURATION, ENABLE);
    machine.run({ maxSteps: 3 });
    expect(Math.round(cycles(machine) / CYCLES_PER_TICK / 2 ** 20)).toBe(2 ** 12);
  });

  it('holds a level until its status bit is cleared', () => {
    const machine = make();
    store(machine, 0xfec0_0000, 0x10 + 2 * 20);
    store(machine, 0xfec0_0010, 0x8000 | (VECTOR + 20));
    set(machine, timer(2), ENABLED | LEVEL | route(20));
    set(machine, comparator(2), 100);
    set(machine, comparator(2) + 4, 0);
    set(machine, CONFIGURATION, ENABLE);
    machine.run({ maxSteps: 100 });
    expect([get(machine, STATUS), interrupts(machine) > 5]).toEqual([4, true]);
    set(machine, STATUS, 4);
    machine.run({ maxSteps: 20 }); // what was sent before
    const before = interrupts(machine);
    machine.run({ maxSteps: 100 });
    expect([get(machine, STATUS), interrupts(machine)]).toEqual([0, before]);
  });
});

describe('legacy replacement', () => {
  it('takes line 0 from the 8254', () => {
    const machine = make();
    const cpu = machine.processor(0);
    for (const [port, value] of [
      [0x43, 0x34],
      [0x40, 100],
      [0x40, 0],
    ] as const)
      cpu.outb(port, value);
    machine.run({ maxSteps: 40 });
    const before = interrupts(machine);
    expect(before).toBeGreaterThan(3);
    set(machine, CONFIGURATION, ENABLE | LEGACY);
    machine.run({ maxSteps: 10 });
    machine.run({ maxSteps: 100 });
    expect(interrupts(machine)).toBeLessThanOrEqual(before + 1);
    cpu.outb(0x43, 0x30); // the 8254 stops
    set(machine, timer(0), ENABLED | PERIODIC | SET | BITS_32);
    set(machine, comparator(0), get(machine, COUNTER) + 1000);
    set(machine, comparator(0), 1000);
    const at = interrupts(machine);
    machine.run({ maxSteps: 50 });
    expect(interrupts(machine)).toBeGreaterThan(at + 3);
  });
});
