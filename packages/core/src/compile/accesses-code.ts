// Data accesses in the observed variant of generated code: where all places of an instruction are found, a record of each is
// written to the buffer in the hot memory (state/access-log.ts). Where the next one goes is a local of the region.
import { recordAddend } from '../state/access-log.js';
import { ACCESSES_OFFSET, ACCESSES_WORD, FRAMES_OFFSET } from '../state/workbench.js';
import type { InstructionFacts } from './instruction-facts.js';
import type { FunctionCode, Local } from './wasm/function-code.js';

const RECORD_BYTES = 4;

/** An access to a place whose address in the hot memory is in a local. */
export interface FoundAccess {
  readonly found: Local;
  readonly width: 8 | 16 | 32 | 64 | 128;
  readonly write: boolean;
}

/** Accesses of a block at the most. */
export function mostAccesses(instructions: readonly InstructionFacts[]): number {
  return instructions.reduce((sum, { loads, writes }) => sum + loads.length + writes.memory.length, 0);
}

/** The records of one function. */
export class AccessesCode {
  readonly #code: FunctionCode;
  readonly #next: Local;

  constructor(code: FunctionCode) {
    this.#code = code;
    this.#next = code.local('i32', 'record');
  }

  /** At the beginning of the function. */
  load(): void {
    this.#code.loadAt('i32.load', ACCESSES_WORD * 4);
    this.#code.set(this.#next);
  }

  /** After the reference path, which took over what was there. */
  restart(): void {
    this.#code.i32(ACCESSES_OFFSET);
    this.#code.set(this.#next);
  }

  /** Before the function is left, for good or for the reference path. */
  store(): void {
    this.#code.i32(0);
    this.#code.get(this.#next);
    this.#code.memory('i32.store', ACCESSES_WORD * 4);
  }

  /** Pushes whether there is less room than for so many. */
  pushIsFull(most: number): void {
    this.#code.get(this.#next);
    this.#code.i32(FRAMES_OFFSET - most * RECORD_BYTES);
    this.#code.op('i32.gt_u');
  }

  record(accesses: readonly FoundAccess[]): void {
    const code = this.#code;
    accesses.forEach(({ found, width, write }, index) => {
      code.get(this.#next);
      code.get(found);
      code.i32(recordAddend((width / 8) as 1 | 2 | 4 | 8 | 16, write));
      code.op('i32.add');
      code.memory('i32.store', index * RECORD_BYTES);
    });
    code.get(this.#next);
    code.i32(accesses.length * RECORD_BYTES);
    code.op('i32.add');
    code.set(this.#next);
  }
}
