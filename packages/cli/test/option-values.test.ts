import { describe, expect, it } from 'vitest';
import { parseCount, parseList, parseOneOf, parseSchedule, parseSeconds, parseSize } from '../src/option-values.js';

const MIB = 2 ** 20;

describe('a size', () => {
  it.each([
    ['64', 64 * MIB],
    ['64M', 64 * MIB],
    ['64MiB', 64 * MIB],
    ['1g', 1024 * MIB],
    ['1.5G', 1536 * MIB],
    ['8k', 8192],
  ])('%s is read as QEMU reads it', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each(['', '0', '-1', 'M', '1X', '0.3k', '9999999T'])('"%s" is refused', (text) => {
    expect(() => parseSize(text)).toThrow('64M');
  });
});

describe('a schedule', () => {
  it('is round-robin, or random with a seed of 32 bits', () => {
    expect(parseSchedule('round-robin')).toBeUndefined();
    expect(parseSchedule('random:4294967295')).toEqual({ random: 4294967295 });
  });

  it.each(['', 'random', 'random:', 'random:4294967296', 'random:-1', 'fifo'])('"%s" is refused', (text) => {
    expect(() => parseSchedule(text)).toThrow('random:SEED');
  });
});

describe('a count', () => {
  it.each([
    ['0', 0],
    ['1_000_000', 1_000_000],
    ['0x10_0000', 0x10_0000],
  ])('%s may be grouped and hexadecimal', (text, value) => {
    expect(parseCount(text)).toBe(value);
  });

  it.each(['', 'x', '-1', '1.5', '1e3', '99999999999999999999'])('"%s" is refused', (text) => {
    expect(() => parseCount(text)).toThrow('whole number from 0 to 9007199254740991');
  });
});

describe('other values', () => {
  it('are seconds with fractions, words of a list, and lists', () => {
    expect(parseSeconds('0.5')).toBe(0.5);
    expect(parseOneOf(['real', 'long'])('long')).toBe('long');
    expect(parseList('b', parseList('a', undefined))).toEqual(['a', 'b']);
  });

  it('are refused with what is expected', () => {
    expect(() => parseSeconds('0')).toThrow('above 0');
    expect(() => parseOneOf(['real', 'long'])('virtual')).toThrow('real, long');
  });
});
