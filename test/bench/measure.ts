// Time and its statistics. A figure is the median of rounds; peers are measured in the same rounds, one after the other, so
// that a machine that is busy is busy for all of them.
import { secondsOf } from './emulator/processor-time.js';

/** How much is measured. */
export interface Effort {
  readonly rounds: number;
  /** Part of the usual amount of work in a round: 1 in a real run, less in a smoke test. */
  readonly scale: number;
}

export const FULL: Effort = { rounds: 5, scale: 1 };
export const QUICK: Effort = { rounds: 1, scale: 0.002 };

/** Work of a round, at least one unit. */
export function amount({ scale }: Effort, usual: number): number {
  return Math.max(1, Math.round(usual * scale));
}

/** One thing to measure: `prepare` is not timed. It says how many units of work it did. */
export interface Contestant {
  readonly name: string;
  readonly prepare: () => () => number;
}

/** Nanoseconds a unit of work, the median of rounds, by name. */
export function measure({ rounds }: Effort, contestants: readonly Contestant[]): ReadonlyMap<string, number> {
  const samples = contestants.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [index, { prepare }] of contestants.entries()) {
      const sample = timed(prepare());
      if (round > 0 || rounds === 1) samples[index]?.push(sample); // the first round warms up
    }
  }
  return new Map(contestants.map(({ name }, index) => [name, median(samples[index] ?? [])]));
}

function timed(work: () => number): number {
  let units = 0;
  const seconds = secondsOf(() => {
    units = work();
  });
  return (seconds * 1e9) / Math.max(units, 1);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
