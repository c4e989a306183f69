import { describe, expect, it } from 'vitest';
import { GuestFault } from '../../src/interrupt/exceptions.js';
import type { SegmentIndex } from '../../src/memory/linear-memory.js';
import { segmentedAddress } from '../../src/memory/segmentation.js';
import { slotOf } from '../../src/register/register-file.js';

const [DS, SS]: readonly [SegmentIndex, SegmentIndex] = [3, 2];

function segment(name: 'DS' | 'SS', base: number, limit: number, attributes: number): Int32Array {
  const words = new Int32Array(512);
  words[slotOf(`${name}.base`) * 2] = base;
  words[slotOf(`${name}.limit`) * 2] = limit;
  words[slotOf(`${name}.attributes`) * 2] = attributes;
  return words;
}

function raised(work: () => unknown): unknown {
  try {
    return work();
  } catch (thrown) {
    return thrown instanceof GuestFault ? thrown.raised : thrown;
  }
}

describe('a logical address', () => {
  it('is the base plus the offset, wrapped to 32 bits', () => {
    expect(segmentedAddress(segment('DS', 0xffff_f000 | 0, 0xffff_ffff | 0, 0x93), true, 0x2000, DS, 4, false)).toBe(
      0x1000,
    );
  });

  it('may use the last byte within the limit and not the one after it', () => {
    const words = segment('DS', 0, 0xfff, 0x93);
    expect(segmentedAddress(words, true, 0xffc, DS, 4, true)).toBe(0xffc);
    expect(raised(() => segmentedAddress(words, true, 0xffd, DS, 4, true))).toMatchObject({
      vector: '#GP',
      errorCode: 0,
    });
  });

  it('takes #SS(0) instead of #GP(0) in the stack segment', () => {
    expect(raised(() => segmentedAddress(segment('SS', 0, 0xf, 0x93), true, 0x10, SS, 1, false))).toMatchObject({
      vector: '#SS',
      errorCode: 0,
    });
  });

  it('lies above the limit in an expand-down segment', () => {
    const words = segment('DS', 0, 0xfff, 0x97);
    expect(raised(() => segmentedAddress(words, true, 0xfff, DS, 1, false))).toMatchObject({ vector: '#GP' });
    expect(segmentedAddress(words, true, 0x1000, DS, 1, false)).toBe(0x1000);
    expect(raised(() => segmentedAddress(words, true, 0xffff, DS, 2, false))).toMatchObject({ vector: '#GP' });
    expect(segmentedAddress(segment('DS', 0, 0xfff, 0x4097), true, 0xffff, DS, 2, false)).toBe(0xffff);
  });

  it.each([
    ['a write to a read-only data segment', 0x91, true],
    ['a write to a code segment', 0x9b, true],
    ['a read of an execute-only code segment', 0x99, false],
    ['any use of an unusable segment', 0x1_0093, false],
  ])('refuses %s', (_, attributes, write) => {
    expect(
      raised(() => segmentedAddress(segment('DS', 0, 0xffff_ffff | 0, attributes), true, 0, DS, 1, write)),
    ).toMatchObject({ vector: '#GP' });
    expect(segmentedAddress(segment('DS', 0, 0xffff_ffff | 0, attributes), false, 0, DS, 1, write)).toBe(0);
  });
});
