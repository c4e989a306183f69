// Blocks of decoded instructions, found by physical frame and offset, dropped when the frame is written. A block ends
// with its first branch or function-form instruction, at the end of its page, or when it is long enough.
import type { Decoded } from './decode.js';

/** Instructions of a block at the most. */
export const LONGEST_BLOCK = 64;

/** One block, bound to the closures of one draft. */
export interface Block {
  readonly instructions: readonly (Decoded | undefined)[];
  /** One closure an instruction. */
  readonly steps: readonly (() => void)[];
  /** RIP in halves before each step, and after the last one. */
  readonly low: Int32Array;
  readonly high: Int32Array;
  /** Of all its instructions. */
  readonly byteLength: number;
  /** The last step sets RIP itself. */
  readonly branches: boolean;
  /** It is one repeated string instruction in the expression form, which branches to itself. */
  readonly repeats: boolean;
  /** How often it was run on the reference path; when it is hot, it is compiled. */
  heat: number;
}

/** What besides the bytes decides how they decode: code width and stack width. */
export type ModeKey = number;

/** Blocks by where their bytes lie. */
export class BlockCache {
  readonly #frames = new Map<number, Map<number, Block>>();
  /** How often a frame was written after code was decoded from it. */
  readonly #drops = new Map<number, number>();

  find(frame: number, offset: number, mode: ModeKey): Block | undefined {
    return this.#frames.get(frame)?.get(offset * 16 + mode);
  }

  add(frame: number, offset: number, mode: ModeKey, block: Block): void {
    let blocks = this.#frames.get(frame);
    if (blocks === undefined) {
      blocks = new Map();
      this.#frames.set(frame, blocks);
    }
    blocks.set(offset * 16 + mode, block);
  }

  /** Forgets what was decoded from a frame. */
  drop(frame: number): void {
    if (this.#frames.delete(frame)) this.#drops.set(frame, (this.#drops.get(frame) ?? 0) + 1);
  }

  /** How long a block is worth making: code that lies beside its data is decoded again after each store. */
  longestIn(frame: number): number {
    return Math.max(LONGEST_BLOCK >> (this.#drops.get(frame) ?? 0), 1);
  }

  clear(): void {
    this.#frames.clear();
    this.#drops.clear();
  }
}
