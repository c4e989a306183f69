// Running an image in slices, so that a clock, Ctrl-C and typed input can come between: none is ever part of the state. The
// first two only choose after which turn the run stops; what is typed becomes events.
import type { Machine, MachineState, RunStop } from '@retrovisor/core';
import { NO_INPUT, type SerialInput } from './serial-input.js';

/** What ends a run that would go on. */
export interface Limits {
  /** Instructions; undefined for no limit. */
  readonly maxInstructions?: number | undefined;
  /** Seconds by the clock on the wall. */
  readonly timeout?: number | undefined;
}

/** Why a run ended: as core says, or because the user's patience did. */
export type Stop =
  | RunStop
  | { readonly reason: 'timeout'; readonly seconds: number }
  | { readonly reason: 'interrupted' };

/** A finished run. */
export interface LimitedRun {
  readonly steps: number;
  readonly stop: Stop;
  /** A state before the end: what is asked about the end is replayed from here. */
  readonly checkpoint: MachineState;
}

/** Between two looks at the clock: as many steps as take about so long, within bounds. */
const SLICE_MS = 50;
const FEWEST_STEPS = 1000;
const MOST_STEPS = 50_000_000;
const FIRST_STEPS = 50_000;
/** Between two bytes of input: what a line of 115,200 bits a second takes at a thousand million instructions a second. */
const STEPS_A_BYTE = 87_000;

/**
 * Runs a machine until it stops or a limit is reached.
 * @param afterSlice is called between slices with the steps so far
 */
export async function runWithLimits(
  machine: Machine,
  limits: Limits,
  afterSlice: (steps: number) => Promise<void>,
  input: SerialInput = NO_INPUT,
): Promise<LimitedRun> {
  const { maxInstructions = Number.MAX_SAFE_INTEGER, timeout = Number.POSITIVE_INFINITY } = limits;
  const end = performance.now() + timeout * 1000;
  const patience = watchForInterrupt();
  const isLate = () => performance.now() >= end;
  const isOver = () => patience.isOver() || isLate();
  const pace = new Pace();
  const checkpoints = new Checkpoints(machine);
  let steps = 0;
  try {
    for (;;) {
      const checkpoint = checkpoints.next();
      input.give(machine);
      const most = Math.min(input.isPending ? STEPS_A_BYTE : pace.steps, maxInstructions - steps);
      pace.begin();
      const { steps: taken, stop } = machine.run({ maxSteps: most });
      steps += taken;
      await afterSlice(steps);
      pace.end();
      const news = stop.reason === 'waiting' ? await input.more(machine, isOver) : undefined;
      if (stop.reason !== 'budget' && (news === undefined || news === 'end')) return { steps, stop, checkpoint };
      if (steps >= maxInstructions) return { steps, stop: { reason: 'budget' }, checkpoint };
      if (!isOver()) continue;
      const lost: Stop = isLate() ? { reason: 'timeout', seconds: timeout } : { reason: 'interrupted' };
      if (news !== undefined) return { steps, stop: lost, checkpoint };
      const last = finishTurn(machine, maxInstructions - steps);
      return { steps: steps + last.steps, stop: last.stop.reason === 'budget' ? lost : last.stop, checkpoint };
    }
  } finally {
    patience.end();
  }
}

/** Sealing costs what the guest changed, which may be much: it has its share of the time, and no more. */
const TIMES_THE_COST = 20;
const FEWEST_MS = 200;

/** States on the way, taken now and then. */
class Checkpoints {
  readonly #machine: Machine;
  #last: MachineState | undefined;
  #due = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** The last one, or a new one if it is time. */
  next(): MachineState {
    const start = performance.now();
    if (this.#last !== undefined && start < this.#due) return this.#last;
    this.#last = this.#machine.state;
    const end = performance.now();
    this.#due = end + Math.max(FEWEST_MS, (end - start) * TIMES_THE_COST);
    return this.#last;
  }
}

/** How many steps a slice has: how long they take depends on what the guest does, and on what is written about it. */
class Pace {
  steps = FIRST_STEPS;
  #start = 0;

  begin(): void {
    this.#start = performance.now();
  }

  end(): void {
    const took = performance.now() - this.#start;
    if (took > SLICE_MS) this.steps = Math.max(FEWEST_STEPS, Math.floor(this.steps / 2));
    else if (took < SLICE_MS / 4) this.steps = Math.min(MOST_STEPS, this.steps * 2);
  }
}

/** Goes on to the end of the turn: what is recorded is then what an uninterrupted run would have begun with. */
function finishTurn(machine: Machine, most: number): { readonly steps: number; readonly stop: RunStop } {
  const steps = Math.min(machine.stepsLeftOfTurn, most);
  return steps === 0 ? { steps, stop: { reason: 'budget' } } : machine.run({ maxSteps: steps });
}

/** The first Ctrl-C ends the run in good order; a second one ends the command at once, as it always does. */
function watchForInterrupt(): { isOver(): boolean; end(): void } {
  let over = false;
  const hear = () => {
    over = true;
  };
  process.once('SIGINT', hear);
  return { isOver: () => over, end: () => void process.removeListener('SIGINT', hear) };
}
