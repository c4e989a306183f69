// Whose turn it is: round robin over the active processors, a quantum of steps each. A pure function of the state, so
// that a run asked for in pieces takes the same turns as one asked for at once.
import type { MachineDraft } from '../state/draft.js';

/** A processor and the steps left of its turn. */
export interface Turn {
  readonly processor: number;
  readonly steps: number;
}

/** The next turn; undefined when no processor is active. */
export function nextTurn(draft: MachineDraft): Turn | undefined {
  const { turn, definition, processorCount } = draft;
  const goesOn = turn.used > 0 && draft.cpu(turn.processor).activity === 'active';
  if (goesOn) return { processor: turn.processor, steps: definition.quantum - turn.used };
  // `used` is 0 after a whole quantum, and at position 0, where the last processor is said to have had its turn.
  for (let distance = 1; distance <= processorCount; distance++) {
    const processor = (turn.processor + distance) % processorCount;
    if (draft.cpu(processor).activity === 'active') return { processor, steps: definition.quantum };
  }
  return undefined;
}
