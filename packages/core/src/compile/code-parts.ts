// What stretches of a region's function are for, and the ways out of its blocks: told while the code is written, to those
// who want to show it. Nobody listens when code is compiled to be run.

/** A stretch of code, from where it is told to where the next one is. */
export interface CodePart {
  readonly kind: 'prologue' | 'nesting' | 'budget' | 'fast path' | 'slow path' | 'edge' | 'epilogue';
  /** Number of the block in its region. */
  readonly block?: number;
  /** Number of the instruction in its block. */
  readonly index?: number;
}

/** A way out of a block. */
export interface CodeExit {
  readonly block: number;
  /** The instruction that it belongs to; undefined for one at the beginning of the block. */
  readonly index: number | undefined;
  /**
   * `budget`: fewer steps are left than the block has. `room`: its accesses, which are observed, may not fit the buffer.
   * `reference`: after the reference path executed the instruction and wants to be asked again. `page`: the next block's
   * page may be mapped elsewhere. `leave`: to code that is not part of the region. `computed`: to an address that is known
   * when the code runs. `stay`: to another block of the region.
   */
  readonly why: 'budget' | 'room' | 'reference' | 'page' | 'leave' | 'computed' | 'stay';
  /** Undefined: it is known when the code runs. */
  readonly rip: bigint | undefined;
  /** Steps of the block that are done then. */
  readonly steps: number;
}

/** Hears of both. */
export interface CodeListener {
  /** `at` is the size of the code before the part. */
  readonly part: (at: number, part: CodePart) => void;
  readonly exit: (exit: CodeExit) => void;
}

/** Nobody. */
export const NO_LISTENER: CodeListener = { part() {}, exit() {} };
