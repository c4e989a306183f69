import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clockRate } from '../../src/platform/clock-rate.js';

describe('a clock of a device', () => {
  it('is at a tick from its time on, and not before, for all times and rates', () => {
    const tick = fc.integer({ min: 1, max: 2 ** 30 });
    const hertz = fc.oneof(fc.constantFrom(1_193_182, 32_768, 1), fc.integer({ min: 1, max: 9_000_000 }));
    fc.assert(
      fc.property(tick, hertz, (at, rate) => {
        const { tickAt, timeOf } = clockRate(rate);
        const time = timeOf(at);
        if (!Number.isSafeInteger(time)) return;
        expect(BigInt(time)).toBe((BigInt(at) * 1_000_000_000n + BigInt(rate) - 1n) / BigInt(rate));
        expect([tickAt(time - 1) < at, tickAt(time)]).toEqual([true, at]);
      }),
    );
  });
});
