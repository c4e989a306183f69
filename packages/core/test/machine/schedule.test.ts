import { describe, expect, it } from 'vitest';
import { apply } from '../../src/event/apply.js';
import { initialState } from '../../src/state/initial-state.js';
import { stateDigest } from '../../src/trace/digest.js';
import { hex } from '../support/booted-machine.js';
import { machineWithIdt } from '../support/idt.js';

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
