// What lowering an effect to closures needs to know: the hot memory and facts of the decoded instruction.
import type { LinearMemory } from '../../memory/linear-memory.js';

/** Facts that are fixed while the closures of an instruction live. */
export interface EvaluationContext {
  /** The whole hot memory: the register window starts at word 0, two words a slot, low half first. */
  readonly words: Int32Array;
  readonly memory: LinearMemory;
  /** Offsets are linear addresses but for FS and GS; otherwise every access goes through `memory.segmented`. */
  readonly mode64: boolean;
  /** Bits of a canonical address in 64-bit mode: what a branch target is checked against. */
  readonly linearBits: 48 | 57;
  /** RIP of the next instruction in halves: where a branch that is not taken goes. */
  readonly nextLow: number;
  readonly nextHigh: number;
}
