import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isProcessorList, listOfRun, processorsOf } from '../src/processor-list.js';

describe('a list of processors', () => {
  it('is written as Linux prints it', () => {
    expect(processorsOf('0-3,8,10-11')).toEqual([0, 1, 2, 3, 8, 10, 11]);
    expect(processorsOf('')).toEqual([]);
  });

  it.each(['3-1', 'a', '1,', ',1', '-1', '1-', '1 - 2', '12345', '0x1'])('is not %j', (text) => {
    expect(isProcessorList(text)).toBe(false);
  });

  it('is made of a run and gives it back', () => {
    fc.assert(
      fc.property(fc.nat(500), fc.nat(40), (first, count) => {
        const list = listOfRun(first, count);
        expect(isProcessorList(list)).toBe(true);
        expect(processorsOf(list)).toEqual(Array.from({ length: count }, (_, index) => first + index));
      }),
    );
  });
});
