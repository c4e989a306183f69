// A random guest runs, and whatever it does: the machine throws its typed errors or nothing, ends within its budget, and
// every replay comes to the same state.
import {
  apply,
  formatDigest,
  initialState,
  type Machine,
  NotModelled,
  serialReceived,
  stateDigest,
} from '@retrovisor/core';
import { type FuzzCase, makeCase } from './fuzz-case.js';
import { Random } from './random.js';

/** What is wrong with a case, in a sentence. */
interface Finding {
  readonly seed: number;
  readonly where: string;
  readonly what: string;
}

/** How a case ended. */
export interface FuzzResult {
  readonly steps: number;
  readonly end: string;
  readonly finding?: Finding;
}

const BUDGET = 3000;
/** Steps that are folded one by one as well. */
const SINGLE_STEPS = 150;
/** Milliseconds of processor time: a thousand times what such a run takes. */
const MOST_TIME = 20_000;

/** Plays a case and replays it. */
export async function runCase(seed: number): Promise<FuzzResult> {
  const fuzzed = await makeCase(seed);
  const start = process.cpuUsage();
  const { end, thrown } = play(fuzzed);
  const { machine } = fuzzed;
  const steps = machine.position;
  const what = thrown ?? replayed(machine) ?? tooSlow(start);
  machine.close();
  const where = `${fuzzed.mode}, ${fuzzed.kind}, ${machine.definition.profile.name}`;
  return { steps, end, ...(what === undefined ? {} : { finding: { seed, where, what } }) };
}

interface Played {
  readonly end: string;
  readonly thrown?: string;
}

const COM1 = 0x3f8;

/** In pieces, so that states are sealed at random places, with input in between. */
function play({ seed, machine }: FuzzCase): Played {
  const random = new Random(~seed);
  try {
    for (let left = BUDGET; left > 0; ) {
      const { steps, stop } = machine.run({ maxSteps: Math.min(left, 1 + random.below(BUDGET)) });
      left -= Math.max(steps, 1);
      if (random.oneIn(2)) void machine.state;
      if (random.oneIn(4)) machine.apply(serialReceived.create({ port: COM1, byte: random.byte() }));
      if (stop.reason === 'waiting' || stop.reason === 'shutdown') return { end: stop.reason };
    }
    return { end: 'budget' };
  } catch (thrown) {
    // Every other error of the family is a promise of core's that does not hold for fetched instructions.
    if (thrown instanceof NotModelled) return { end: `not modelled: ${String(thrown.details['what'])}` };
    return { end: 'thrown', thrown: textOf(thrown) };
  }
}

/** The log, folded by the pure function at once and for a stretch step by step: where it does not end alike, how. */
function replayed(machine: Machine): string | undefined {
  const { definition, log } = machine;
  const expected = formatDigest(stateDigest(machine.state));
  try {
    let state = initialState(definition);
    for (const { event } of log.entries()) state = apply(definition, state, event).state;
    if (formatDigest(stateDigest(state)) !== expected) return 'a fold of the log ends in another state';
    let single = initialState(definition);
    const end = Math.min(log.length, SINGLE_STEPS);
    for (let position = 0; position < end; position++)
      for (const { event } of log.slice(position, position + 1)) single = apply(definition, single, event).state;
    const there = formatDigest(stateDigest(machine.timeline().seek(end)));
    return formatDigest(stateDigest(single)) === there ? undefined : `single steps to ${end} end in another state`;
  } catch (thrown) {
    return `replay: ${textOf(thrown)}`;
  }
}

function tooSlow(start: NodeJS.CpuUsage): string | undefined {
  const { user, system } = process.cpuUsage(start);
  const took = (user + system) / 1000;
  return took > MOST_TIME ? `${took} ms of processor time` : undefined;
}

function textOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `thrown: ${String(thrown)}`;
  return (thrown.stack ?? thrown.message).split('\n').slice(0, 6).join('\n    ');
}
