// Data accesses on their way to those who observe them in batches. The reference path appends here; generated code writes
// records of four bytes to a buffer in the hot memory, which are taken over whenever it is left. So the buffer is empty
// while anything else runs, and all stand in program order. They are delivered between two steps, before somebody can see
// what observers keep: slices, and the end of an event.
import { assert } from '../error.js';
import type { AccessBatch, Intercepts } from '../plugin/intercepts.js';
import type { Cpu } from './cpu.js';
import type { PhysicalDraft } from './physical-draft.js';
import { ACCESSES_OFFSET, ACCESSES_WORD, FRAME_BYTES, FRAMES_OFFSET, type Workbench } from './workbench.js';

/** A record: where the access is among the frames in use, and above that its kind. */
const OFFSET_BITS = 28;
const OFFSET_MASK = 2 ** OFFSET_BITS - 1;
const MOST_FRAMES = 2 ** OFFSET_BITS / FRAME_BYTES;
/** A kind: the binary logarithm of the bytes, and whether it is a write. */
const WRITE_KIND = 8;

/** What is added to the address of an access in the hot memory to make it a record. The sum has 32 bits. */
export function recordAddend(bytes: 1 | 2 | 4 | 8 | 16, write: boolean): number {
  const kind = Math.log2(bytes) + (write ? WRITE_KIND : 0);
  return ((kind << OFFSET_BITS) - FRAMES_OFFSET) | 0;
}

type BatchObserver = NonNullable<Intercepts['memoryAccesses']>;

/** So many are delivered at the next step. */
const ENOUGH = 4096;

/** Accesses in arrays that grow. */
class Accesses implements AccessBatch {
  length = 0;
  #physical = new Float64Array(ENOUGH);
  /** Bytes times 2, plus 1 for a write. */
  #kinds = new Int32Array(ENOUGH);

  append(physical: number, bytes: number, write: boolean): void {
    if (this.length === this.#kinds.length) this.#grow();
    this.#physical[this.length] = physical;
    this.#kinds[this.length++] = bytes * 2 + (write ? 1 : 0);
  }

  #grow(): void {
    const [physical, kinds] = [this.#physical, this.#kinds];
    this.#physical = new Float64Array(physical.length * 2);
    this.#kinds = new Int32Array(kinds.length * 2);
    this.#physical.set(physical);
    this.#kinds.set(kinds);
  }

  physical(index: number): number {
    return this.#physical[index] as number;
  }

  bytes(index: number): number {
    return (this.#kinds[index] as number) >> 1;
  }

  isWrite(index: number): boolean {
    return ((this.#kinds[index] as number) & 1) !== 0;
  }
}

/** The accesses of a draft that nobody has heard of yet. All are of one processor. */
export class AccessLog {
  readonly #words: Int32Array;
  readonly #memory: PhysicalDraft;
  readonly #observers: readonly BatchObserver[];
  readonly #accesses = new Accesses();
  #cpu: Cpu | undefined;
  #isDelivering = false;

  constructor({ words, frameSlots }: Workbench, memory: PhysicalDraft, observers: readonly BatchObserver[]) {
    assert(frameSlots <= MOST_FRAMES, 'more frames in use than a record can tell apart', { frameSlots });
    this.#words = words;
    this.#memory = memory;
    this.#observers = observers;
  }

  /** Drops what was not delivered: another state was loaded. */
  clear(): void {
    this.#accesses.length = 0;
    this.#words[ACCESSES_WORD] = ACCESSES_OFFSET;
  }

  /** An access outside generated code. What observers access themselves is no access of the machine. */
  append(cpu: Cpu, physical: number, bytes: number, write: boolean): void {
    if (this.#isDelivering) return;
    this.#belongTo(cpu);
    this.#accesses.append(physical, bytes, write);
  }

  #belongTo(cpu: Cpu): void {
    if (cpu === this.#cpu) return;
    this.deliver();
    this.#cpu = cpu;
  }

  /** Takes over the records of generated code that ran on a processor. */
  collect(cpu: Cpu): void {
    const words = this.#words;
    const end = (words[ACCESSES_WORD] as number) / 4;
    if (end === FIRST_RECORD) return;
    this.#belongTo(cpu);
    for (let index = FIRST_RECORD; index < end; index++) {
      const record = words[index] as number;
      const offset = record & OFFSET_MASK;
      const kind = record >>> OFFSET_BITS;
      const physical = this.#memory.frameAt(offset + FRAMES_OFFSET) * FRAME_BYTES + (offset & (FRAME_BYTES - 1));
      this.#accesses.append(physical, 1 << (kind & (WRITE_KIND - 1)), kind >= WRITE_KIND);
    }
    words[ACCESSES_WORD] = ACCESSES_OFFSET;
  }

  /** Whether it is time to deliver; between two steps. */
  get isCrowded(): boolean {
    return this.#accesses.length >= ENOUGH;
  }

  /** The observers hear of all. */
  deliver(): void {
    if (this.#accesses.length === 0 || this.#cpu === undefined || this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      for (const observe of this.#observers) observe(this.#cpu, this.#accesses);
    } finally {
      this.#accesses.length = 0;
      this.#isDelivering = false;
    }
  }
}

const FIRST_RECORD = ACCESSES_OFFSET / 4;
