import { describe, expect, it } from 'vitest';
import { rawImage } from '../../src/boot/boot-image.js';
import { apply } from '../../src/event/apply.js';
import { initialState } from '../../src/state/initial-state.js';
import { definitionOf } from '../../src/trace/definition-of.js';
import { stateDigest } from '../../src/trace/digest.js';
import { openTrace } from '../../src/trace/reader.js';
import { CODE, hex, machineWith } from '../support/booted-machine.js';
import { machineWithIdt } from '../support/idt.js';
import { DENSE, record } from '../trace/recordings.js';

const WAITER = 0x8000;

/** The first processor starts the second and spins; that one waits with PAUSE until its time-stamp counter has moved on. */
function spinnerAndWaiter() {
  // mov edi, 0fee00300h; mov dword [rdi], 0c4500h; mov dword [rdi], 0c4608h; jmp $
  const code = hex('bf 00 03 e0 fe c7 07 00 45 0c 00 c7 07 08 46 0c 00 eb fe');
  const machine = machineWithIdt(code, [], { processors: 2, quantum: 1000 });
  // rdtsc; mov ebx, eax; pause; rdtsc; sub eax, ebx; cmp eax, 1000000; jb pause; hlt
  machine.writeMemory(WAITER, Uint8Array.from(hex('0f 31 66 89 c3 f3 90 0f 31 66 29 d8 66 3d 40 42 0f 00 72 f1 f4')));
  return machine;
}

describe('a processor that waits with PAUSE', () => {
  it('sees time pass as the others do', () => {
    const machine = spinnerAndWaiter();
    machine.run({ maxSteps: 1_100_000 });
    expect(machine.state.processors[1]?.activity).toBe('HLT');
    const [spinner, waiter] = [0, 1].map((id) => Number(machine.processor(id).read('cycles')));
    expect([(waiter ?? 0) > 1_000_000, (waiter ?? 0) <= (spinner ?? 0)]).toEqual([true, true]);
  });

  it('does the same however the run is cut, and when its log is applied', () => {
    const [whole, pieces] = [spinnerAndWaiter(), spinnerAndWaiter()];
    whole.run({ maxSteps: 20_000 });
    for (let step = 0; step < 20_000; step += 37) pieces.run({ maxSteps: Math.min(37, 20_000 - step) });
    expect(stateDigest(pieces.state)).toEqual(stateDigest(whole.state));
    let state = initialState(whole.definition);
    for (const { event } of whole.log.entries()) ({ state } = apply(whole.definition, state, event));
    expect(stateDigest(state)).toEqual(stateDigest(whole.state));
  });
});

describe('a schedule that is drawn', () => {
  /** Three processors that each count in RBX; the second one gives its turn away after each step. */
  function counters(seed: number) {
    const bytes = Uint8Array.from(hex('ff c3 eb fc f3 90 ff c3 eb fa')); // inc ebx; jmp to it; pause; inc ebx; jmp to pause
    const boot = { ...rawImage({ bytes, mode: 'long', load: CODE }), everyProcessor: true };
    const machine = machineWith([], { processors: 3, quantum: 50, schedule: { random: seed }, boot });
    for (const id of [1, 2]) machine.processor(id).set('activity', 0n);
    machine.processor(1).set('RIP', BigInt(CODE + 4));
    return machine;
  }
  const turnsOf = (seed: number) => {
    const machine = counters(seed);
    machine.run({ maxSteps: 5000 });
    return machine.log.entries().filter(({ event }) => event.type === 'processor/stepsRetired');
  };

  it('is the same for the same seed and another one for another seed', () => {
    expect(turnsOf(7)).toEqual(turnsOf(7));
    expect(turnsOf(7)).not.toEqual(turnsOf(8));
  });

  it('gives every processor turns of many lengths, none longer than the quantum', () => {
    const machine = counters(1);
    const lengths = new Set<number>();
    for (let turn = 0; turn < 500; turn++) {
      machine.run({ maxSteps: 1 });
      const left = machine.stepsLeftOfTurn;
      lengths.add(left + 1);
      if (left > 0) machine.run({ maxSteps: left });
    }
    expect(Math.max(...lengths)).toBeLessThanOrEqual(50);
    expect(lengths.size).toBeGreaterThan(30);
    for (const id of [0, 1, 2]) expect(machine.processor(id).read('RBX')).toBeGreaterThan(50n);
  });

  it('does the same however the run is cut, when its log is applied, and from a trace', () => {
    const [whole, pieces] = [counters(3), counters(3)];
    whole.run({ maxSteps: 5000 });
    for (let step = 0; step < 5000; step += 7) pieces.run({ maxSteps: Math.min(7, 5000 - step) });
    expect(stateDigest(pieces.state)).toEqual(stateDigest(whole.state));
    let state = initialState(whole.definition);
    for (const { event } of whole.log.entries()) ({ state } = apply(whole.definition, state, event));
    expect(stateDigest(state)).toEqual(stateDigest(whole.state));
  });

  it('stands in the header of a trace', () => {
    const { header } = openTrace(record([], DENSE, counters(5)).file);
    expect(header).toMatchObject({ quantum: 50, schedule: { random: 5 } });
    expect(definitionOf(header).schedule).toEqual({ random: 5 });
  });

  it.each([-1, 0.5, 2 ** 32])('refuses the seed %d', (random) => {
    expect(() => machineWith([0x90], { schedule: { random } })).toThrow('the seed of the schedule');
  });
});

describe('a processor that sends an interrupt', () => {
  /** The first one writes to the interrupt command register and counts in RBX; the second one spins. */
  function sender(command: string) {
    // mov edi, 0fee00300h; mov dword [rdi], command; inc ebx; jmp to the inc
    const machine = machineWithIdt(hex(`bf 00 03 e0 fe c7 07 ${command} ff c3 eb fc`), [], {
      processors: 2,
      quantum: 100,
    });
    for (const id of [0, 1]) machine.processor(id).set('APIC_SVR', 0x1ffn);
    machine.processor(1).set('activity', 0n);
    return machine;
  }

  it('to another one gives it the turn', () => {
    const machine = sender('40 00 0c 00'); // fixed, vector 40H, all but itself
    machine.run({ maxSteps: 3 });
    expect(machine.processor(0).read('RBX')).toBe(0n);
    expect(machine.nextProcessor).toBe(1);
  });

  it('to itself keeps it', () => {
    const machine = sender('40 00 04 00');
    machine.run({ maxSteps: 4 });
    expect([machine.processor(0).read('RBX'), machine.nextProcessor]).toEqual([1n, 0]);
  });
});
