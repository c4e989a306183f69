// Running an image in slices, so that a clock and Ctrl-C can end it: neither is ever part of the state, they only choose
// after which turn the run stops.
import type { Machine, MachineState, RunStop } from '@retrovisor/core';

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
  /** A state shortly before the end: what is asked about the end is replayed from here. */
  readonly checkpoint: MachineState;
}

/** Between two looks at the clock: some tens of milliseconds. */
const SLICE_STEPS = 500_000;

/**
 * Runs a machine until it stops or a limit is reached.
 * @param afterSlice is called between slices with the steps so far
 */
export async function runWithLimits(
  machine: Machine,
  limits: Limits,
  afterSlice: (steps: number) => Promise<void>,
): Promise<LimitedRun> {
  const { maxInstructions = Number.MAX_SAFE_INTEGER, timeout = Number.POSITIVE_INFINITY } = limits;
  const end = performance.now() + timeout * 1000;
  const patience = watchForInterrupt();
  let steps = 0;
  try {
    for (;;) {
      const checkpoint = machine.state;
      const ran = machine.run({ maxSteps: Math.min(SLICE_STEPS, maxInstructions - steps) });
      steps += ran.steps;
      await afterSlice(steps);
      if (ran.stop.reason !== 'budget' || steps >= maxInstructions) return { steps, stop: ran.stop, checkpoint };
      const isLate = performance.now() >= end;
      if (isLate || patience.isOver()) {
        steps += finishTurn(machine, maxInstructions - steps);
        return {
          steps,
          stop: isLate ? { reason: 'timeout', seconds: timeout } : { reason: 'interrupted' },
          checkpoint,
        };
      }
    }
  } finally {
    patience.end();
  }
}

/** Goes on to the end of the turn: what is recorded is then what an uninterrupted run would have begun with. */
function finishTurn(machine: Machine, most: number): number {
  const { used } = machine.state.turn;
  return used === 0 ? 0 : machine.run({ maxSteps: Math.min(machine.definition.quantum - used, most) }).steps;
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
