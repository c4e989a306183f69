// Random bytes as guest code, for about a minute of processor time: `pnpm fuzz --minutes 30 --seed N` goes on.
import { expect, it, vi } from 'vitest';
import { runCase } from './fuzz-run.js';

vi.setConfig({ testTimeout: 600_000 });

/** Batches, so that a failure says more than one seed and the run shows that it goes on. */
const BATCHES = 10;
const CASES = 45;

it.each(Array.from({ length: BATCHES }, (_, batch) => batch * CASES))('from seed %i on', async (first) => {
  const findings: unknown[] = [];
  let steps = 0;
  for (let seed = first; seed < first + CASES; seed++) {
    const { finding, ...result } = await runCase(seed);
    if (finding !== undefined) findings.push(finding);
    steps += result.steps;
  }
  expect(findings).toEqual([]);
  expect(steps).toBeGreaterThan(CASES * 20); // guests that end at once would show nothing
});
