// Blocks of decoded instructions. A block ends with its first branch or function-form instruction, at the end of its page,
// or when it is long enough.
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
  readonly bytes: Uint8Array;
  /** The last step sets RIP itself. */
  readonly branches: boolean;
  /** It is one repeated string instruction in the expression form, which branches to itself. */
  readonly repeats: boolean;
  /** How often it was run on the reference path; when it is hot, it is compiled. */
  heat: number;
}

/** What besides the bytes decides how they decode: code width and stack width, and who may execute them. */
export type ModeKey = number;
