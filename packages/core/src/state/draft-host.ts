// Keeps a draft for somebody: claims a workbench when it is used, seals and lets go when another needs the bench.
import type { MachineDefinition } from '../plugin/host.js';
import { MachineDraft } from './draft.js';
import type { MachineState } from './machine.js';
import { claimWorkbench, releaseWorkbench, touchWorkbench } from './workbench-pool.js';

/** A machine that is worked on now and then. */
export class DraftHost {
  readonly #definition: MachineDefinition;
  #sealed: MachineState;
  #draft: MachineDraft | undefined;
  /** The draft may differ from the sealed state. */
  #changed = false;

  constructor(definition: MachineDefinition, state: MachineState) {
    this.#definition = definition;
    this.#sealed = state;
  }

  /** The draft, for changing: the next `state()` seals it. */
  draft(): MachineDraft {
    this.#changed = true;
    return this.peek();
  }

  /** The draft, for reading only. */
  peek(): MachineDraft {
    if (this.#draft === undefined) this.#draft = new MachineDraft(this.#definition, claimWorkbench(this), this.#sealed);
    else touchWorkbench(this.#draft.bench);
    return this.#draft;
  }

  /** Events applied so far. */
  get position(): number {
    return this.#changed && this.#draft !== undefined ? this.#draft.position : this.#sealed.position;
  }

  /** The machine as it is: sealed only if something may have changed. */
  state(): MachineState {
    if (this.#changed && this.#draft !== undefined) this.#sealed = this.#draft.seal();
    this.#changed = false;
    return this.#sealed;
  }

  /** Goes on from another state; free if it is the one that was sealed last. */
  load(state: MachineState): void {
    if (state === this.#sealed && !this.#changed) return;
    this.#sealed = state;
    this.#changed = false;
    this.#draft?.load(state);
  }

  /** Drops what was changed since the last seal. */
  discard(): void {
    this.#changed = false;
    this.#draft?.load(this.#sealed);
  }

  /** Gives the bench back without sealing: for work whose result nobody keeps. */
  abandon(): void {
    this.#changed = false;
    this.release();
  }

  /** The bench is taken away: what is in it is sealed. */
  release(): void {
    this.state();
    if (this.#draft !== undefined) releaseWorkbench(this.#draft.bench);
    this.#draft = undefined;
  }
}
