import { describe, expect, it } from 'vitest';
import type { Block } from '../../src/execute/block.js';
import { BlockCache } from '../../src/execute/block-cache.js';

const MODE = 10;
const blockAt = (rip: number, ...bytes: readonly number[]): Block => ({
  instructions: [],
  steps: [],
  low: Int32Array.of(rip),
  high: Int32Array.of(0),
  bytes: Uint8Array.from(bytes),
  branches: false,
  repeats: false,
  heat: 0,
});

describe('decoded blocks', () => {
  it('stay when bytes beside them are written', () => {
    const cache = new BlockCache();
    const block = blockAt(0x1010, 1, 2, 3);
    cache.add(1, 0x10, MODE, block);
    expect(cache.written(1, 0x0f, 1)).toBe(false);
    expect(cache.written(1, 0x13, 8)).toBe(false);
    expect(cache.written(2, 0x10, 3)).toBe(false);
    expect(cache.find(1, 0x10, MODE)).toBe(block);
    expect(cache.written(1, 0x12, 8)).toBe(true);
    expect(cache.find(1, 0x10, MODE)).toBeUndefined();
  });

  it('come back with their bytes, in their mode alone', () => {
    const cache = new BlockCache();
    const block = blockAt(0x1010, 1, 2, 3);
    cache.add(1, 0x10, MODE, block);
    cache.clear();
    expect(cache.revive(1, 0x10, MODE, 0x1010, 0, Uint8Array.of(1, 2, 4))).toBeUndefined();
    expect(cache.revive(1, 0x10, MODE + 1, 0x1010, 0, Uint8Array.of(1, 2, 3))).toBeUndefined();
    expect(cache.revive(1, 0x10, MODE, 0x1010, 1, Uint8Array.of(1, 2, 3))).toBeUndefined();
    expect(cache.revive(1, 0x10, MODE, 0x1010, 0, Uint8Array.of(1, 2, 3, 4))).toBe(block);
    expect(cache.find(1, 0x10, MODE)).toBe(block);
    expect(cache.written(1, 0x11, 1)).toBe(true);
  });

  it('are kept in several versions, the last one first, and not for ever', () => {
    const cache = new BlockCache();
    for (let version = 0; version < 6; version++) {
      cache.add(1, 0, MODE, blockAt(0x1000, version));
      cache.written(1, 0, 1);
    }
    const revived = (version: number) => cache.revive(1, 0, MODE, 0x1000, 0, Uint8Array.of(version));
    expect([0, 1, 2, 3, 4, 5].map((version) => revived(version) !== undefined)).toEqual([
      false,
      false,
      true,
      true,
      true,
      true,
    ]);
  });

  it('are made shorter where code is written again and again', () => {
    const cache = new BlockCache();
    const before = cache.longestIn(1);
    cache.add(1, 0, MODE, blockAt(0x1000, 1));
    cache.written(1, 0, 1);
    expect(cache.longestIn(1)).toBeLessThan(before);
    expect(cache.longestIn(2)).toBe(before);
  });
});
