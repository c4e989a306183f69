// The whole machine as immutable data.
import type { PhysicalMemory } from './memory.js';
import type { ProcessorState } from './processor.js';

/** Whose turn it is and how much of the turn is used up, in steps. */
export interface TurnState {
  readonly processor: number;
  readonly used: number;
  /** Turns before it, where they are drawn. */
  readonly number?: number;
}

/** A machine at a position. Frozen through and through; equal states have equal digests. */
export interface MachineState {
  /** Events applied since the initial state. */
  readonly position: number;
  readonly processors: readonly ProcessorState[];
  readonly memory: PhysicalMemory;
  readonly turn: TurnState;
  /** The machine-wide slice of each plugin, by plugin name. */
  readonly plugins: Readonly<Record<string, unknown>>;
}
