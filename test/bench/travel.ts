// What looking at the past costs: seeks, digests; and what a machine costs that nobody has used yet.
import { createHash } from 'node:crypto';
import { createMachine, longMode, type Machine, stateDigest } from '@retrovisor/core';
import { machineInLoop } from './fetched.js';
import { LOOPS, type Loop } from './loops.js';
import { amount, type Contestant, type Effort, measure } from './measure.js';
import type { Row, Section } from './report.js';

const STEPS = 2_000_000;
const FRAME_BYTES = 4096;
const SORT = LOOPS[2] as Loop;

function seekContestants(effort: Effort): readonly Contestant[] {
  const machine = machineInLoop(SORT);
  machine.run({ maxSteps: amount(effort, STEPS) });
  const { length } = machine.log;
  let next = 1;
  const somewhere = () => {
    next = (next * 48_271) % 0x7fff_ffff;
    return next % length;
  };
  return [
    { name: 'seek to the end, first visit', prepare: () => seekOnce(machineLike(machine), () => length) },
    { name: 'seek anywhere, visited before', prepare: () => seekOnce(machine, somewhere) },
    { name: 'step back by one', prepare: () => seekOnce(machine, () => length - 1 - (next++ % 50)) },
  ];
}

/** The same log with a timeline that has visited nothing. */
function machineLike(machine: Machine): Machine {
  return machine.fork(machine.position);
}

function seekOnce(machine: Machine, position: () => number): () => number {
  const timeline = machine.timeline();
  const target = position();
  return () => {
    timeline.seek(target);
    return 1;
  };
}

function digestContestants(effort: Effort): readonly Contestant[] {
  const machine = createMachine({ profile: 'intel-server', boot: longMode() });
  let round = 1;
  const digestAfter = (frames: number): Contestant => ({
    name: `digest after ${frames} changed frames`,
    prepare: () => {
      for (let frame = 0; frame < frames; frame++)
        machine.writeMemory(0x100_0000 + frame * FRAME_BYTES, Uint8Array.of(round & 255, frame & 255));
      round++;
      const { state } = machine;
      return () => stateDigest(state).length / 32;
    },
  });
  const bytes = new Uint8Array(FRAME_BYTES * 100).fill(3);
  return [
    digestAfter(1),
    digestAfter(amount(effort, 100)),
    {
      name: 'SHA-256 of node:crypto over 100 frames',
      prepare: () => () => createHash('sha256').update(bytes).digest().length / 32,
    },
  ];
}

const creation: Contestant = {
  name: 'createMachine of 1 GiB and its state',
  prepare: () => () =>
    createMachine({ profile: 'intel-server', boot: longMode(), memory: 2 ** 30 }).state.processors.length,
};

/** Microseconds each. */
export function travel(effort: Effort): Section {
  const times = measure(effort, [...seekContestants(effort), ...digestContestants(effort), creation]);
  const rows = [...times].map(([name, time]): Row => ({ name, value: time / 1000, unit: 'µs' }));
  return { title: 'Time travel, digests, creation', rows };
}
