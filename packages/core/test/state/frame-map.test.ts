import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameMap } from '../../src/state/frame-map.js';

const FRAME = 4096;
const frameOf = (byte: number): Uint8Array => new Uint8Array(FRAME).fill(byte);
/** Frame numbers far apart and close together, up to the 40 bits of a 52-bit address. */
const frameNumbers = fc.oneof(
  fc.integer({ min: 0, max: 130 }),
  fc.maxSafeInteger().map((value) => Math.abs(value) % 2 ** 40),
);
const changes = fc.array(fc.tuple(frameNumbers, fc.integer({ min: 0, max: 3 })), { maxLength: 30 });

function apply(map: FrameMap, list: readonly (readonly [number, number])[]): FrameMap {
  return map.with(list.map(([frame, byte]) => [frame, frameOf(byte)] as const));
}

describe('a frame map', () => {
  it('holds what was last put in, and frames of zeros are absent', () => {
    fc.assert(
      fc.property(changes, changes, (first, second) => {
        const map = apply(apply(FrameMap.EMPTY, first), second);
        const expected = new Map([...first, ...second].map(([frame, byte]) => [frame, byte]));
        const present = [...expected].filter(([, byte]) => byte !== 0).sort(([a], [b]) => a - b);
        expect([...map.entries()].map(([frame, bytes]) => [frame, bytes[0]])).toEqual(present);
        expect(map.size).toBe(present.length);
        for (const [frame, byte] of expected) expect(map.get(frame)?.[FRAME - 1] ?? 0).toBe(byte);
      }),
    );
  });

  it('never changes when another map is made of it', () => {
    fc.assert(
      fc.property(changes, changes, (first, second) => {
        const map = apply(FrameMap.EMPTY, first);
        const before = [...map.entries()].map(([frame, bytes]) => [frame, bytes[0]]);
        apply(map, second);
        expect([...map.entries()].map(([frame, bytes]) => [frame, bytes[0]])).toEqual(before);
      }),
    );
  });

  it('has equal digests exactly for equal contents, however they came about', () => {
    fc.assert(
      fc.property(changes, changes, (first, second) => {
        const [one, other] = [apply(FrameMap.EMPTY, first), apply(FrameMap.EMPTY, second)];
        const contents = (map: FrameMap) =>
          JSON.stringify([...map.entries()].map(([frame, bytes]) => [frame, bytes[0]]));
        expect(Buffer.compare(one.digest(), other.digest()) === 0).toBe(contents(one) === contents(other));
        const detour = apply(apply(one, second), [...second.map(([frame]) => [frame, 0] as const), ...first]);
        const undone = new Map([...second.map(([frame]) => [frame, 0] as const), ...first]);
        expect(detour.digest()).toEqual(apply(FrameMap.EMPTY, [...undone]).digest());
      }),
    );
  });

  it('finds the frames that differ', () => {
    fc.assert(
      fc.property(changes, changes, (first, second) => {
        const [one, other] = [apply(FrameMap.EMPTY, first), apply(apply(FrameMap.EMPTY, first), second)];
        const expected = [...new Set(second.map(([frame]) => frame))].filter(
          (frame) => (one.get(frame)?.[0] ?? 0) !== (other.get(frame)?.[0] ?? 0),
        );
        expect([...one.differences(other)]).toEqual(expected.sort((a, b) => a - b));
      }),
    );
  });

  it('copies only the paths that change', () => {
    const many = FrameMap.EMPTY.with(Array.from({ length: 1000 }, (_, frame) => [frame, frameOf(1)] as const));
    const one = many.with([[500, frameOf(2)]]);
    expect([...many.differences(one)]).toEqual([500]);
    expect(one.get(499)).toBe(many.get(499));
  });
});
