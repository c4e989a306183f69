// A run ends where it ends, whoever watches it.
import { describe, expect, it } from 'vitest';
import type { Machine } from '../../src/index.js';
import { machineWith } from '../support/booted-machine.js';

/** Two processors; the first one shuts down at its second step, the second one could go on. */
function shuttingDown(): Machine {
  const machine = machineWith([0x90, 0x0f, 0x0b], { processors: 2 }); // NOP; UD2 without an IDT
  machine.processor(1).set('activity', 0n);
  return machine;
}

describe('a run whose last wanted step shuts a processor down', () => {
  it('stops at the shutdown alike, watched or not', () => {
    const [watched, alone] = [shuttingDown(), shuttingDown()];
    watched.outcomes$.subscribe(() => watched.timeline().seek(1));
    const stops = [watched, alone].map((machine) => machine.run({ maxSteps: 10 }));
    expect(stops[0]).toEqual(stops[1]);
    expect(stops[0]).toMatchObject({ steps: 2, stop: { reason: 'shutdown', processor: 0 } });
    expect(watched.state).toEqual(alone.state);
  });

  it('tells the outcome of the last step that was taken', () => {
    const machine = shuttingDown();
    machine.outcomes$.subscribe(() => void machine.fork(1).state);
    expect(machine.step(0, 10).kind).toBe('shutdown');
  });
});
