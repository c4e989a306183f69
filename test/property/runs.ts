// How many random cases a property is checked with. `npm test` takes few, so that the whole folder stays under a minute;
// PROPERTY_RUNS multiplies them for a long search, PROPERTY_SEED repeats one.
import { vi } from 'vitest';

const FACTOR = Number(process.env['PROPERTY_RUNS'] ?? 1);
const SEED = process.env['PROPERTY_SEED'];

vi.setConfig({ testTimeout: 60_000 * Math.max(1, FACTOR) });

/** What fast-check is given: `usual` cases, times PROPERTY_RUNS. */
export function runs(usual: number): { numRuns: number; seed?: number } {
  return { numRuns: Math.max(1, Math.round(usual * FACTOR)), ...(SEED === undefined ? {} : { seed: Number(SEED) }) };
}
