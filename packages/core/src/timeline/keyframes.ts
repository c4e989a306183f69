// Keyframes: states kept along a log so that any position is near one. They share structure, so that each costs what
// changed since the one before. When there are too many the spacing doubles and every other one goes: their number stays
// bounded for any length of run.
import type { MachineState } from '../state/machine.js';

/** Keyframes at the most. */
const MOST_KEYFRAMES = 256;
/** Positions between keyframes at first: what a replay costs at worst stays in this order until the run gets long. */
const FIRST_SPACING = 20_000;

/** States by position. The first one is always kept. */
export class Keyframes {
  #spacing = FIRST_SPACING;
  #states: MachineState[];

  constructor(initial: MachineState) {
    this.#states = [initial];
  }

  /** Positions from one keyframe to the next that is worth keeping. */
  get spacing(): number {
    return this.#spacing;
  }

  /** The last keyframe at or before a position. */
  before(position: number): MachineState {
    return this.#states[this.#indexAt(position)] as MachineState;
  }

  /** The keyframe after the one at or before a position, if there is one. */
  after(position: number): MachineState | undefined {
    return this.#states[this.#indexAt(position) + 1];
  }

  /** Where the next keyframe belongs when replaying from a position. */
  nextBoundary(position: number): number {
    return (Math.floor(position / this.#spacing) + 1) * this.#spacing;
  }

  /** Keeps a state if it lies on a boundary; states in between are forgotten. */
  offer(state: MachineState): void {
    if (state.position % this.#spacing !== 0) return;
    const index = this.#indexAt(state.position);
    if (this.#states[index]?.position === state.position) return;
    this.#states.splice(index + 1, 0, state);
    if (this.#states.length > MOST_KEYFRAMES) this.#thin();
  }

  #thin(): void {
    this.#spacing *= 2;
    this.#states = this.#states.filter(({ position }, index) => index === 0 || position % this.#spacing === 0);
  }

  #indexAt(position: number): number {
    let low = 0;
    let high = this.#states.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#states[middle] as MachineState).position <= position) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }
}
