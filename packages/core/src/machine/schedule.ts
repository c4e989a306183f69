// Whose turn it is: round robin over the processors that can run, a quantum of steps each. A pure function of the state, so
// that a run asked for in pieces takes the same turns as one asked for at once.
import { canRun } from '../interrupt/pending-events.js';
import type { Cpu } from '../state/cpu.js';
import type { MachineDraft } from '../state/draft.js';

/** A processor and the steps left of its turn. */
export interface Turn {
  readonly processor: number;
  readonly steps: number;
}

/**
 * The next turn. When all processors wait, one of them lets time pass to the next deadline; undefined when there is none,
 * so that nothing will ever happen without an event from outside.
 */
export function nextTurn(draft: MachineDraft): Turn | undefined {
  const { turn, definition } = draft;
  const goesOn = turn.used > 0 && canRun(draft.cpu(turn.processor));
  if (goesOn) return { processor: turn.processor, steps: definition.quantum - turn.used };
  // `used` is 0 after a whole quantum, and at position 0, where the last processor is said to have had its turn.
  const next = nextAfter(draft, canRun);
  if (next !== undefined) return { processor: next, steps: definition.quantum };
  const waiting = nextAfter(draft, (cpu) => cpu.activity === 'HLT');
  if (waiting === undefined || draft.timers.deadlineFor(draft.cpu(waiting)) === Number.POSITIVE_INFINITY)
    return undefined;
  return { processor: waiting, steps: definition.quantum };
}

/** The first processor after the one of the last turn that meets a condition. */
function nextAfter(draft: MachineDraft, holds: (cpu: Cpu) => boolean): number | undefined {
  const { turn, processorCount } = draft;
  for (let distance = 1; distance <= processorCount; distance++) {
    const processor = (turn.processor + distance) % processorCount;
    if (holds(draft.cpu(processor))) return processor;
  }
  return undefined;
}
