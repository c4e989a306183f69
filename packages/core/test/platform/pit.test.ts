import { describe, expect, it } from 'vitest';
import { apply } from '../../src/event/apply.js';
import { pic } from '../../src/interrupt/pic.js';
import type { Machine } from '../../src/machine/machine.js';
import { pit } from '../../src/platform/pit.js';
import { initialState } from '../../src/state/initial-state.js';
import { stateDigest } from '../../src/trace/digest.js';
import { hex } from '../support/booted-machine.js';
import { HANDLER, machineWithIdt } from '../support/idt.js';

const VECTOR = 0x20;
const HERTZ = 1_193_182;

/** Line 0 open, at vector 20H; the counter programmed as asked; the code is STI, HLT and a jump back. */
function ticking(control: number, ...count: readonly number[]): Machine {
  const machine = machineWithIdt(hex('fb f4 eb fd'), [{ vector: VECTOR }], { plugins: [pic, pit] });
  // inc ebx; mov al, 20h; out 20h, al; iretq
  machine.writeMemory(HANDLER, Uint8Array.from(hex('ff c3 b0 20 e6 20 48 cf')));
  const cpu = machine.processor(0);
  cpu.set('RBX', 0n);
  for (const [port, value] of [
    [0x20, 0x11],
    [0x21, VECTOR],
    [0x21, 4],
    [0x21, 1],
    [0x21, 0xfe],
    [0x43, control],
    ...count.map((byte) => [0x40, byte]),
  ] as const)
    cpu.outb(port as number, value as number);
  return machine;
}
const input = (machine: Machine, port: number): number => {
  const outcome = machine.processor(0).inb(port);
  return 'value' in outcome ? Number(outcome.value) : Number.NaN;
};

describe('the timer on line 0', () => {
  it.each([
    { mode: 'rate generator', control: 0x34 },
    { mode: 'square wave', control: 0x36 },
  ])('interrupts once a period as a $mode, without drift', ({ control }) => {
    const machine = ticking(control, 100, 0);
    machine.run({ maxSteps: 10_000 });
    const cpu = machine.processor(0);
    const periods = Math.floor((Number(cpu.read('cycles')) * HERTZ) / (100 * 1e9));
    expect(periods).toBeGreaterThan(1000);
    expect(Math.abs(Number(cpu.read('RBX')) - periods)).toBeLessThanOrEqual(1);
  });

  it('interrupts once at terminal count, at the exact cycle', () => {
    const machine = ticking(0x30, 10, 0);
    machine.run({ maxSteps: 3 }); // STI, HLT, the interrupt
    const cpu = machine.processor(0);
    expect(cpu.read('RIP')).toBe(BigInt(HANDLER));
    expect(Number(cpu.read('cycles')) - 1).toBe(Math.ceil((11 * 1e9) / HERTZ));
    expect(machine.run({ maxSteps: 100 }).stop).toEqual({ reason: 'waiting' });
    expect(cpu.read('RBX')).toBe(1n);
  });

  it('does the same however the run is cut, and when its log is applied', () => {
    const [whole, pieces] = [ticking(0x34, 20, 0), ticking(0x34, 20, 0)];
    whole.run({ maxSteps: 3000 });
    for (let step = 0; step < 3000; step += 7) pieces.run({ maxSteps: Math.min(7, 3000 - step) });
    expect(stateDigest(pieces.state)).toEqual(stateDigest(whole.state));
    let state = initialState(whole.definition);
    for (const { event } of whole.log.entries()) ({ state } = apply(whole.definition, state, event));
    expect(stateDigest(state)).toEqual(stateDigest(whole.state));
  });
});

describe('port 61H', () => {
  it('has the gate and the output of the third counter, and a bit that toggles', () => {
    const machine = ticking(0xb0); // the third counter in mode 0
    machine.writeMemory(machine.processor(0).read('RIP'), new Uint8Array(60_000).fill(0x90));
    const cpu = machine.processor(0);
    for (const byte of [10, 0]) cpu.outb(0x42, byte);
    machine.run({ maxSteps: 20_000 });
    expect(input(machine, 0x61) & 0x2f).toBe(0); // the gate is low
    cpu.outb(0x61, 0xff);
    expect(input(machine, 0x61) & 0x2f).toBe(0x0f);
    machine.run({ maxSteps: 9_300 });
    expect(input(machine, 0x61) & 0x2f).toBe(0x2f);
    const refresh = () => input(machine, 0x61) & 0x10;
    const before = refresh();
    machine.run({ maxSteps: 15_085 });
    expect(refresh()).not.toBe(before);
  });

  it('reads back counter and status through port 43H', () => {
    const machine = ticking(0x34, 0x34, 0x12);
    machine.processor(0).outb(0x43, 0xc2); // counter 0, both
    expect([input(machine, 0x40) & 0x3f, input(machine, 0x40), input(machine, 0x40)]).toEqual([0x34, 0x34, 0x12]);
    expect(input(machine, 0x43)).toBe(0xff);
  });
});
