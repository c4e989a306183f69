import { expect, it } from 'vitest';
import { memoryMap, memorySizes } from '../../src/boot/memory-map.js';
import { ramRanges } from '../../src/state/memory.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

it.each([2 * MIB, 64 * MIB, 3 * GIB, 5 * GIB, 2 ** 41])('the map of %i bytes is in order, without overlap', (bytes) => {
  const map = memoryMap(ramRanges(bytes));
  for (const [index, { start, end }] of map.entries()) {
    expect(start).toBeLessThanOrEqual(end);
    expect(end).toBeLessThanOrEqual(map[index + 1]?.start ?? Number.POSITIVE_INFINITY);
  }
});

it('everything that is available is RAM, and only what firmware keeps and the hole up to 1 MiB are not available', () => {
  const ranges = ramRanges(5 * GIB);
  const available = memoryMap(ranges).filter(({ type }) => type === 1);
  const isInside = ({ start, end }: { readonly start: number; readonly end: number }) =>
    ranges.some((range) => range.start <= start && end <= range.end);
  expect(available.every(isInside)).toBe(true);
  const sum = available.reduce((total, { start, end }) => total + end - start, 0);
  expect(5 * GIB - sum).toBe(0x10_0000 - 0x9_fc00 + 128 * 1024);
});

it('the sizes are those of the first two ranges that are available', () => {
  const [low, high] = memoryMap(ramRanges(64 * MIB)).filter(({ type }) => type === 1);
  const { lower, upper } = memorySizes(ramRanges(64 * MIB));
  expect([lower * 1024, MIB + upper * 1024]).toEqual([low?.end, high?.end]);
});
