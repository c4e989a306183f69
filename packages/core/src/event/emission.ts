// What a machine says to the outside while it runs: console bytes, a value reported at a debug port,
// that it wants to be reset or switched off. Emissions follow
// from the events, so they are never recorded; a replay says the same again.

/** One emission with the position of the event that caused it. */
export type Emission =
  | { readonly type: 'console/byteWritten'; readonly position: number; readonly device: string; readonly byte: number }
  | {
      readonly type: 'machine/exitRequested';
      readonly position: number;
      readonly device: string;
      readonly value: number;
    }
  | { readonly type: 'machine/resetRequested'; readonly position: number; readonly device: string }
  | { readonly type: 'machine/powerOffRequested'; readonly position: number; readonly device: string };
