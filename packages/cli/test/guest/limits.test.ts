import { createMachine, debugConsole, rawImage } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { runWithLimits } from '../../src/guest/limits.js';

const ENDLESS = [0xeb, 0xfe];
const HALT = [0xf4];
const UNDEFINED = [0x0f, 0x0b];
const noPause = async () => {};

function machineOf(code: readonly number[], processors = 1) {
  const boot = rawImage({ bytes: Uint8Array.from(code), mode: 'long', load: 0x10_0000 });
  return createMachine({ profile: 'intel-server', processors, plugins: [debugConsole], boot, quantum: 1000 });
}

describe('a run', () => {
  it('stops after as many instructions as were asked for', async () => {
    const run = await runWithLimits(machineOf(ENDLESS), { maxInstructions: 700_001 }, noPause);
    expect(run).toMatchObject({ steps: 700_001, stop: { reason: 'budget' } });
  });

  it('stops by the clock at the end of a turn', async () => {
    const machine = machineOf(ENDLESS);
    const run = await runWithLimits(machine, { timeout: 0.001 }, noPause);
    expect(run.stop).toEqual({ reason: 'timeout', seconds: 0.001 });
    expect(machine.position).toBe(run.steps);
    expect(machine.state.turn.used).toBe(0);
  });

  it('keeps a state shortly before the end', async () => {
    const run = await runWithLimits(machineOf(UNDEFINED), {}, noPause);
    expect(run.stop.reason).toBe('shutdown');
    expect(run.checkpoint.position).toBe(0);
    expect((await runWithLimits(machineOf(HALT), {}, noPause)).stop.reason).toBe('waiting');
  });
});
