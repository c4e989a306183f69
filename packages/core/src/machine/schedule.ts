// Whose turn it is: round robin over the processors that can run, a quantum of steps each; or, with a seed, processors and
// lengths that are drawn. A pure function of the state, so that a run asked for in pieces takes the same turns as one asked
// for at once.
import { canRun } from '../interrupt/pending-events.js';
import type { MachineDefinition } from '../plugin/host.js';
import type { Cpu } from '../state/cpu.js';
import type { MachineDraft } from '../state/draft.js';
import type { TurnState } from '../state/machine.js';

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
  const { turn } = draft;
  if (turn.used > 0 && canRun(draft.cpu(turn.processor))) return turnOf(draft, turn.processor);
  // `used` is 0 after a whole turn, and at position 0, where the last processor is said to have had its turn.
  const next = draft.definition.schedule === undefined ? nextAfter(draft, canRun) : drawn(draft);
  if (next !== undefined) return turnOf(draft, next);
  const waiting = nextAfter(draft, (cpu) => cpu.activity === 'HLT');
  if (waiting === undefined || draft.timers.deadlineFor(draft.cpu(waiting)) === Number.POSITIVE_INFINITY)
    return undefined;
  return turnOf(draft, waiting);
}

/** What is left of a processor's turn if it goes on, or a whole one. */
function turnOf({ turn, definition }: MachineDraft, processor: number): Turn {
  const used = turn.processor === processor ? turn.used : 0;
  return { processor, steps: lengthOf(definition, numberFor(turn, processor)) - used };
}

/** Where the schedule stands after steps of a processor; `isOver`: it gave the rest of its turn away. */
export function turnAfter(
  { turn, definition }: MachineDraft,
  processor: number,
  steps: number,
  isOver: boolean,
): TurnState {
  let used = turn.processor === processor ? turn.used + steps : steps;
  if (definition.schedule === undefined)
    return Object.freeze({ processor, used: isOver ? 0 : used % definition.quantum });
  let number = numberFor(turn, processor);
  // Turns of one processor that follow each other are one run when a log is applied.
  for (let length = lengthOf(definition, number); used >= length; length = lengthOf(definition, number)) {
    used -= length;
    number++;
  }
  return Object.freeze(isOver && used > 0 ? { processor, used: 0, number: number + 1 } : { processor, used, number });
}

/** The number of the turn that a processor has or begins: another one's, if it is broken off, is over. */
function numberFor({ processor: last, used, number = 0 }: TurnState, processor: number): number {
  return used > 0 && last !== processor ? number + 1 : number;
}

/** One of the processors that can run. */
function drawn(draft: MachineDraft): number | undefined {
  const { turn, definition, processorCount } = draft;
  const able = Array.from({ length: processorCount }, (_, id) => id).filter((id) => canRun(draft.cpu(id)));
  const number = (turn.number ?? 0) + (turn.used > 0 ? 1 : 0);
  return able[draw(definition, number, DRAWS.processor) % able.length];
}

/** Steps of a turn: as often below 2 as between 2 and 4, between 4 and 8 and so on, up to the quantum. */
function lengthOf(definition: MachineDefinition, number: number): number {
  const { quantum, schedule } = definition;
  if (schedule === undefined) return quantum;
  const least = 2 ** (draw(definition, number, DRAWS.magnitude) % quantum.toString(2).length);
  return Math.min(quantum, least + (draw(definition, number, DRAWS.length) % least));
}

const DRAWS = { processor: 1, magnitude: 2, length: 3 } as const;

/** 32 bits that depend on the seed, on the number of a turn and on what is drawn, each bit on all of theirs. */
function draw({ schedule }: MachineDefinition, number: number, what: number): number {
  let bits = what;
  for (const part of [schedule?.random ?? 0, number, Math.floor(number / 2 ** 32)]) {
    bits = Math.imul(bits ^ part, 0x9e37_79b1);
    bits = Math.imul(bits ^ (bits >>> 15), 0x85eb_ca77);
    bits ^= bits >>> 13;
  }
  return bits >>> 0;
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
