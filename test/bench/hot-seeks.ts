// Seeks around a position in a hot loop: what a debugger pays for going to and fro. Each is timed by itself, for the slow ones
// are what people notice.
import type { Timeline } from '@retrovisor/core';
import { secondsOf } from './emulator/processor-time.js';
import { machineInLoop } from './fetched.js';
import { LOOPS, type Loop } from './loops.js';
import { amount, type Effort } from './measure.js';
import type { Row, Section } from './report.js';

const LOOP = LOOPS[1] as Loop;
const STEPS = 100_000_000;
const [SEEKS, DISTANCE] = [1000, 1_000_000];
const GOAL_MILLISECONDS = 50;

/** Milliseconds of each seek, sorted. */
function timesOf(timeline: Timeline, targets: readonly number[]): readonly number[] {
  const times = targets.map((target) => secondsOf(() => void timeline.seek(target)) * 1000);
  return times.toSorted((left, right) => left - right);
}

/** Whole distances forward and back in turns. */
function toAndFro(position: number, distance: number, seeks: number): readonly number[] {
  return Array.from({ length: seeks }, (_, index) => position + (index % 2 === 0 ? distance : -distance));
}

/** Anywhere within a distance. */
function anywhere(position: number, distance: number, seeks: number): readonly number[] {
  let seed = 1;
  return Array.from({ length: seeks }, () => {
    seed = (seed * 48_271) % 0x7fff_ffff;
    return position - distance + (seed % (2 * distance + 1));
  });
}

function rowsOf(name: string, times: readonly number[]): readonly Row[] {
  const at = (part: number): number => times[Math.min(Math.floor(times.length * part), times.length - 1)] ?? Number.NaN;
  const slow = at(0.99);
  return [
    { name: `${name}, median`, value: at(0.5), unit: 'ms' },
    {
      name: `${name}, 99th percentile`,
      value: slow,
      unit: 'ms',
      goals: [{ text: `${GOAL_MILLISECONDS} ms`, met: slow <= GOAL_MILLISECONDS }],
    },
  ];
}

/** Milliseconds. */
export function hotSeeks(effort: Effort): Section {
  const machine = machineInLoop(LOOP);
  machine.run({ maxSteps: amount(effort, STEPS) });
  const timeline = machine.timeline();
  const [position, distance, seeks] = [timeline.length >> 1, amount(effort, DISTANCE), amount(effort, SEEKS)];
  const first = secondsOf(() => void timeline.seek(position)) * 1000;
  return {
    title: `Seeks around a position in a hot loop of ${timeline.length.toLocaleString('en-US')} steps`,
    rows: [
      { name: 'the first one, to the middle', value: first, unit: 'ms' },
      ...rowsOf('10⁶ steps forward and back', timesOf(timeline, toAndFro(position, distance, seeks))),
      ...rowsOf('anywhere within 10⁶ steps', timesOf(timeline, anywhere(position, distance, seeks))),
    ],
  };
}
