// The evaluator against the oracle: any effect from any state, alone and after others that left flags pending.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryEffect } from '../../expression/arbitrary-effect.js';
import { start } from './arbitrary-start.js';
import { OracleProcessor, Processor } from './processor.js';

describe('lower', () => {
  it('does what the oracle does, faults and order of accesses included', () => {
    fc.assert(
      fc.property(start, fc.array(arbitraryEffect, { minLength: 1, maxLength: 4 }), (from, effects) => {
        const [processor, oracle] = [new Processor(from), new OracleProcessor(from)];
        for (const effect of effects) {
          const [fault, expected] = [processor.run(effect), oracle.run(effect)];
          expect(fault).toEqual(expected);
        }
        expect(processor.seen()).toEqual(oracle.seen());
      }),
      { numRuns: 1200 },
    );
  });

  it('leaves everything as it was where it faults', () => {
    fc.assert(
      fc.property(start, arbitraryEffect, (from, effect) => {
        const [processor, untouched] = [new Processor(from), new Processor(from)];
        const fault = processor.run(effect);
        if (fault === undefined) return;
        expect({ ...processor.seen(), log: [] }).toEqual({ ...untouched.seen(), log: [] });
      }),
      { numRuns: 800 },
    );
  });
});
