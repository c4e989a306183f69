// Processors before an instruction, drawn at random for property tests.
import fc from 'fast-check';
import { interesting64 } from '../../expression/arbitrary-effect.js';
import type { Start } from './processor.js';

/** One page in sixteen is not there, one more is read-only. */
const someFault = (page: bigint, write: boolean): boolean => page % 16n === 3n || (write && page % 16n === 5n);

/** Registers, flags and mode; some pages fault. */
export const start: fc.Arbitrary<Start> = fc.record({
  registers: fc.array(interesting64, { minLength: 16, maxLength: 16 }),
  flags: fc.bigInt({ min: 0n, max: 0xfffn }),
  segmentBases: fc.record({ FS: interesting64, GS: interesting64 }),
  mode64: fc.boolean(),
  linearBits: fc.constantFrom(48, 57),
  next: interesting64,
  faults: fc.constant(someFault),
});
