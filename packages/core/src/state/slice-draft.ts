// The cold half of a draft: plugin slices. Each is opened as an Immer draft at its first change and finished, frozen,
// when the state is sealed. Reads of a slice that nobody changed see the frozen base.
import { createDraft, type Draft, finishDraft, type Objectish } from 'immer';
import { UsageError } from '../error.js';

type Slices = Readonly<Record<string, unknown>>;

/** One set of slices: those of the machine, or those of one processor. */
class SliceSet {
  #sealed: Slices;
  readonly #open = new Map<string, Draft<Objectish>>();

  constructor(sealed: Slices) {
    this.#sealed = sealed;
  }

  read(plugin: string): unknown {
    return this.#open.get(plugin) ?? this.#base(plugin);
  }

  change(plugin: string, recipe: (slice: never) => void): void {
    let draft = this.#open.get(plugin);
    if (draft === undefined) {
      draft = createDraft(this.#base(plugin) as Objectish);
      this.#open.set(plugin, draft);
    }
    recipe(draft as never);
  }

  seal(): Slices {
    if (this.#open.size === 0) return this.#sealed;
    const finished = [...this.#open].map(([plugin, draft]) => [plugin, finishDraft(draft)] as const);
    this.#open.clear();
    if (finished.some(([plugin, slice]) => slice !== this.#sealed[plugin])) {
      this.#sealed = Object.freeze({ ...this.#sealed, ...Object.fromEntries(finished) });
    }
    return this.#sealed;
  }

  #base(plugin: string): unknown {
    if (!(plugin in this.#sealed))
      throw new UsageError('UNKNOWN_SLICE', { plugin }, `no slice of a plugin named ${plugin} is here`);
    return this.#sealed[plugin];
  }
}

/** All slices of a draft. */
export class SliceDraft {
  #machine = new SliceSet({});
  #processors: readonly SliceSet[] = [];

  load(machine: Slices, processors: readonly Slices[]): void {
    this.#machine = new SliceSet(machine);
    this.#processors = processors.map((slices) => new SliceSet(slices));
  }

  readMachine(plugin: string): unknown {
    return this.#machine.read(plugin);
  }

  changeMachine(plugin: string, recipe: (slice: never) => void): void {
    this.#machine.change(plugin, recipe);
  }

  readProcessor(processor: number, plugin: string): unknown {
    return this.#of(processor).read(plugin);
  }

  changeProcessor(processor: number, plugin: string, recipe: (slice: never) => void): void {
    this.#of(processor).change(plugin, recipe);
  }

  sealMachine(): Slices {
    return this.#machine.seal();
  }

  sealProcessor(processor: number): Slices {
    return this.#of(processor).seal();
  }

  #of(processor: number): SliceSet {
    const slices = this.#processors[processor];
    if (slices === undefined)
      throw new UsageError('UNKNOWN_PROCESSOR', { processor }, `there is no processor ${processor}`);
    return slices;
  }
}
