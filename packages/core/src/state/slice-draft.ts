// The cold half of a draft: plugin slices. Each is opened at its first change, a small one as a copy, a wide one as an Immer
// draft, and finished, frozen, when the state is sealed. Reads of a slice that nobody changed see the frozen base.
import { createDraft, type Draft, finishDraft, type Objectish } from 'immer';
import { UsageError } from '../error.js';
import { copySmall, sealCopy } from './slice-copy.js';

type Slices = Readonly<Record<string, unknown>>;

/** A slice that is being changed. */
interface OpenSlice {
  /** What recipes change. */
  readonly draft: unknown;
  readonly finish: () => unknown;
}

function openSlice(base: unknown): OpenSlice {
  const copied = copySmall(base);
  if (copied !== undefined) return { draft: copied, finish: () => sealCopy(base, copied) };
  const draft: Draft<Objectish> = createDraft(base as Objectish);
  return { draft, finish: () => finishDraft(draft) };
}

/** One set of slices: those of the machine, or those of one processor. */
class SliceSet {
  #sealed: Slices;
  readonly #open = new Map<string, OpenSlice>();

  constructor(sealed: Slices) {
    this.#sealed = sealed;
  }

  read(plugin: string): unknown {
    const open = this.#open.get(plugin);
    return open === undefined ? this.#base(plugin) : open.draft;
  }

  change(plugin: string, recipe: (slice: never) => void): void {
    let open = this.#open.get(plugin);
    if (open === undefined) {
      open = openSlice(this.#base(plugin));
      this.#open.set(plugin, open);
    }
    recipe(open.draft as never);
  }

  seal(): Slices {
    if (this.#open.size === 0) return this.#sealed;
    const finished = [...this.#open].map(([plugin, { finish }]) => [plugin, finish()] as const);
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
