import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BothPaths } from './paths.js';
import { programs } from './program.js';

/** More of them by `pnpm both-paths`. */
const PROGRAMS = 4000;

describe('a random program', () => {
  it('ends in the same state on the reference path, in generated code, and on both in turn', () => {
    const both = new BothPaths();
    fc.assert(
      fc.property(programs, (program) => both.check(program)),
      { numRuns: PROGRAMS, seed: 20_261_123 },
    );
    const { compiledSteps, steps, mostlyCompiled } = both.tally;
    expect(compiledSteps).toBeGreaterThan(steps / 2);
    expect(mostlyCompiled).toBeGreaterThan(PROGRAMS / 2);
  }, 1_800_000);
});
