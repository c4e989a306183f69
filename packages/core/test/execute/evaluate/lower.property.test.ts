// The evaluator against the oracle: any effect from any state, alone and after others that left flags pending.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryEffect, interesting64 } from '../../expression/arbitrary-effect.js';
import { OracleProcessor, Processor, type Start } from './processor.js';

/** One page in sixteen is not there, one more is read-only. */
const someFault = (page: bigint, write: boolean): boolean => page % 16n === 3n || (write && page % 16n === 5n);

export const start: fc.Arbitrary<Start> = fc.record({
  registers: fc.array(interesting64, { minLength: 16, maxLength: 16 }),
  flags: fc.bigInt({ min: 0n, max: 0xfffn }),
  segmentBases: fc.record({ FS: interesting64, GS: interesting64 }),
  mode64: fc.boolean(),
  linearBits: fc.constantFrom(48, 57),
  next: interesting64,
  faults: fc.constant(someFault),
});

describe('lower', () => {
  it('does what the oracle does, faults and order of accesses included', () => {
    fc.assert(
      fc.property(start, fc.array(arbitraryEffect(), { minLength: 1, maxLength: 4 }), (from, effects) => {
        const [processor, oracle] = [new Processor(from), new OracleProcessor(from)];
        for (const effect of effects) {
          const [fault, expected] = [processor.run(effect), oracle.run(effect)];
          expect(fault).toEqual(expected);
        }
        expect(processor.seen()).toEqual(oracle.seen());
      }),
      { numRuns: 3000 },
    );
  });

  it('leaves everything as it was where it faults', () => {
    fc.assert(
      fc.property(start, arbitraryEffect(), (from, effect) => {
        const [processor, untouched] = [new Processor(from), new Processor(from)];
        const fault = processor.run(effect);
        if (fault === undefined) return;
        expect({ ...processor.seen(), log: [] }).toEqual({ ...untouched.seen(), log: [] });
      }),
      { numRuns: 2000 },
    );
  });
});
