// What a row of the tables of vector operations is, and the shapes that most rows have.
import type { Lanes } from './lanes.js';

/**
 * Computes a vector of `bytes` (8 or 16) from up to three. `to` is none of the operands. Places are numbers of words.
 * A row whose result is a number leaves it in the word `to`.
 */
type Compute = (
  lanes: Lanes,
  to: number,
  left: number,
  right: number,
  bytes: number,
  immediate: number,
  third: number,
) => void;

/** A row. */
export interface VectorOperation {
  /** The WebAssembly instruction that computes the same from vectors of 128 bits, if there is one. */
  readonly wasm?: string;
  /** Of a row that only moves bytes of vectors of 128 bits: where each comes from, below 16 the first operand, else the second. */
  readonly sources?: (immediate: number) => readonly number[];
  readonly compute: Compute;
}

/** One function of two elements, of the width that the name says. */
type OfTwo = (left: number, right: number) => number;

const row = (compute: Compute, wasm: string | undefined): VectorOperation =>
  wasm === undefined ? { compute } : { compute, wasm };

/** A function of two numbers for each pair of elements. What it returns is cut to the width of the element. */
export const each = {
  u8: (of: OfTwo, wasm?: string) =>
    row(({ bytes: lanes }, to, left, right, bytes) => {
      for (let i = 0; i < bytes; i++)
        lanes[to * 4 + i] = of(lanes[left * 4 + i] as number, lanes[right * 4 + i] as number);
    }, wasm),
  s8: (of: OfTwo, wasm?: string) =>
    row(({ signedBytes: lanes }, to, left, right, bytes) => {
      for (let i = 0; i < bytes; i++)
        lanes[to * 4 + i] = of(lanes[left * 4 + i] as number, lanes[right * 4 + i] as number);
    }, wasm),
  u16: (of: OfTwo, wasm?: string) =>
    row(({ words: lanes }, to, left, right, bytes) => {
      for (let i = 0; i < bytes / 2; i++)
        lanes[to * 2 + i] = of(lanes[left * 2 + i] as number, lanes[right * 2 + i] as number);
    }, wasm),
  s16: (of: OfTwo, wasm?: string) =>
    row(({ signedWords: lanes }, to, left, right, bytes) => {
      for (let i = 0; i < bytes / 2; i++)
        lanes[to * 2 + i] = of(lanes[left * 2 + i] as number, lanes[right * 2 + i] as number);
    }, wasm),
  u32: (of: OfTwo, wasm?: string) =>
    row(({ unsignedDoublewords: lanes }, to, left, right, bytes) => {
      for (let i = 0; i < bytes / 4; i++) lanes[to + i] = of(lanes[left + i] as number, lanes[right + i] as number);
    }, wasm),
  s32: (of: OfTwo, wasm?: string) =>
    row(({ doublewords: lanes }, to, left, right, bytes) => {
      for (let i = 0; i < bytes / 4; i++) lanes[to + i] = of(lanes[left + i] as number, lanes[right + i] as number);
    }, wasm),
} as const;

const VECTOR_BYTES = 16;

/** Element i of the result comes from the place that `source` names: below 16 of the first operand, from 16 of the second. */
export function permuted(
  elementBytes: 1 | 2 | 4 | 8,
  source: (index: number, count: number, immediate: number) => number,
): VectorOperation {
  return {
    sources: (immediate) =>
      Array.from({ length: VECTOR_BYTES }, (_, byte) => {
        const from = source(Math.floor(byte / elementBytes), VECTOR_BYTES / elementBytes, immediate);
        return from * elementBytes + (byte % elementBytes);
      }),
    compute: ({ bytes: lanes }, to, left, right, bytes, immediate) => {
      const count = bytes / elementBytes;
      for (let index = 0; index < count; index++) {
        const from = source(index, count, immediate);
        const start = (from < count ? left * 4 : right * 4 - bytes) + from * elementBytes;
        for (let byte = 0; byte < elementBytes; byte++)
          lanes[to * 4 + index * elementBytes + byte] = lanes[start + byte] as number;
      }
    },
  };
}

/** Clamps to the range of a signed integer. */
export const saturate = (least: number, most: number) => (value: number) => Math.min(Math.max(value, least), most);
