// A slice: the part of the state that belongs to one plugin, machine-wide or one a processor. It is plain data (numbers,
// bigints, strings, booleans, null, arrays, objects), changed by Immer recipes and frozen when sealed.
import type { Draft as Drafted } from 'immer';
import type { MachineDefinition } from './host.js';

/** Anything whose slices can be read and changed: a processor for processor slices, the machine draft for machine slices. */
export interface SliceHome {
  readSlice(name: string): unknown;
  changeSlice(name: string, recipe: (slice: never) => void): void;
}

/** What a machine asks of a slice: everything but the typed way to it, so that slices of any shape fit in one list. */
export interface SliceDeclaration<Value = unknown> {
  readonly plugin: string;
  /** Raised when the shape changes; `migrate` maps an older version to a function that lifts it to the next. */
  readonly version: number;
  readonly initial: (definition: MachineDefinition) => Value;
  readonly migrate: Readonly<Record<number, (older: unknown) => unknown>>;
}

/** The declaration of a slice and the way to it. */
export interface Slice<Value> extends SliceDeclaration<Value> {
  /** The slice as it is now: to be read only. */
  of(home: SliceHome): Value;
  /** Changes it by an Immer recipe that assigns in place and returns nothing. */
  change(home: SliceHome, recipe: (slice: Drafted<Value>) => void): void;
}

/**
 * Declares a slice of a plugin.
 * @example const counters = defineSlice('counter', { version: 1, initial: () => ({ ticks: 0 }) });
 */
export function defineSlice<Value>(
  plugin: string,
  {
    version,
    initial,
    migrate = {},
  }: {
    readonly version: number;
    readonly initial: (definition: MachineDefinition) => Value;
    readonly migrate?: Slice<Value>['migrate'];
  },
): Slice<Value> {
  return Object.freeze({
    plugin,
    version,
    initial,
    migrate,
    of: (home: SliceHome) => home.readSlice(plugin) as Value,
    change: (home: SliceHome, recipe: (slice: Drafted<Value>) => void) =>
      home.changeSlice(plugin, recipe as (slice: never) => void),
  });
}
