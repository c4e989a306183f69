// What a used frame costs in memory beside its own 4096 bytes: nodes of the persistent map. Measured before everything
// else, while nothing of other sections waits to be collected.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createMachine, longMode, type MachineState } from '@retrovisor/core';
import { amount, type Effort } from './measure.js';
import type { Section } from './report.js';

const FRAME_BYTES = 4096;
const USED_FRAMES = 10_000;

/** Bytes that are used after everything that can be collected was. */
function usedBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let time = 0; time < 3; time++) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Two states that share no frame: the second one costs what the frames of one state cost. */
function bytesPerFrame(effort: Effort): number {
  const frames = amount(effort, USED_FRAMES);
  const machine = createMachine({ profile: 'intel-server', boot: longMode() });
  const kept: MachineState[] = [];
  const fill = (byte: number) => {
    const bytes = Uint8Array.of(byte);
    for (let frame = 0; frame < frames; frame++) machine.writeMemory(0x100_0000 + frame * FRAME_BYTES, bytes);
    kept.push(machine.state);
  };
  fill(1);
  const logged = usedBytes();
  // The same events without a seal in between: what the log costs.
  for (let frame = 0; frame < frames; frame++) machine.writeMemory(0x100_0000 + frame * FRAME_BYTES, Uint8Array.of(2));
  const before = usedBytes();
  fill(3);
  const after = usedBytes();
  if (kept.length !== 2) throw new RangeError('a state was lost');
  return (after - before - (before - logged)) / frames;
}

/** Bytes a frame. */
export function memory(effort: Effort): Section {
  const bytes = bytesPerFrame(effort);
  return {
    title: 'Memory',
    rows: [{ name: 'a used frame of a kept state, its 4096 bytes included', value: bytes, unit: 'bytes' }],
  };
}
