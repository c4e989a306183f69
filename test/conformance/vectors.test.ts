// Every recorded vector whose instruction is declared must leave what the processor left. A vector is skipped for one
// reason only: its mnemonic is not modelled; which ones those are is stated here, with their numbers.
import { NotModelled } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { readVectors, type Vector } from '../support/vector-file.js';
import { VectorRunner } from '../support/vector-machine.js';

/** Vectors that are skipped, by mnemonic, for each family. */
const FAMILIES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  alu: {},
  lock: {},
  muldiv: {},
  shift: {},
  bits: {},
  bmi: {},
  mov: {},
  cmpxchg: {},
  cond: {},
  branch: {},
  stack: {},
  misc: {},
  except: {},
  prefix: {},
  string: {},
  programs: {},
};

interface Tally {
  passed: number;
  readonly failures: string[];
  readonly skipped: Record<string, number>;
}

function execute(runner: VectorRunner, vector: Vector, tally: Tally): void {
  try {
    const differences = runner.run(vector);
    if (differences.length === 0) tally.passed++;
    else tally.failures.push(`${vector.id} (${vector.code.slice(0, 30)}): ${differences.join('; ')}`);
  } catch (thrown) {
    if (!(thrown instanceof NotModelled) || typeof thrown.details['mnemonic'] !== 'string') throw thrown;
    const { mnemonic } = thrown.details;
    tally.skipped[mnemonic] = (tally.skipped[mnemonic] ?? 0) + 1;
  }
}

describe('recorded vectors', () => {
  it.each(Object.entries(FAMILIES))('%s', (family, skipped) => {
    const runner = new VectorRunner();
    const tally: Tally = { passed: 0, failures: [], skipped: {} };
    const vectors = readVectors(family);
    for (const vector of vectors) execute(runner, vector, tally);
    const total = Object.values(skipped).reduce((sum, count) => sum + count, 0);
    expect({ failed: tally.failures.length, examples: tally.failures.slice(0, 5) }).toEqual({
      failed: 0,
      examples: [],
    });
    expect(tally.skipped).toEqual(skipped);
    expect(tally.passed).toBe(vectors.length - total);
  });
});
