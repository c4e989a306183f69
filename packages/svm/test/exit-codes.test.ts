import { describe, expect, it } from 'vitest';
import { EXIT_CODES, interceptBitOf } from '../src/exit-codes.js';
import codes from './spec/svm-exit-codes.json' with { type: 'json' };
import intercepts from './spec/svm-intercepts.json' with { type: 'json' };

describe('the codes of #VMEXIT', () => {
  it('are those of the inventory, by value and name', () => {
    const inventory = codes.entries.map(({ value, name }) => [value, name] as const);
    expect([...EXIT_CODES].toSorted(([one], [other]) => one - other)).toEqual(
      inventory.toSorted(([one], [other]) => one - other),
    );
  });

  it('say where the bit stands that asks for each', () => {
    const values = new Map(codes.entries.map(({ id, value }) => [id, value]));
    for (const { exitCode, word, bit } of intercepts.entries)
      expect(interceptBitOf(values.get(exitCode) ?? -1), exitCode).toEqual({ word, bit });
    const withBit = [...EXIT_CODES.keys()].filter((code) => interceptBitOf(code) !== undefined);
    expect(withBit.length).toBe(intercepts.entries.length);
  });
});
