// The hot half of a draft: one WebAssembly.Memory that TypeScript and generated code share, read and written through typed
// arrays. Layout: the register window of the processor whose turn it is, scratch values of the evaluator, the software
// TLB, then 4-KByte slots that hold the physical frames in use.

/** Bytes of a frame, and the unit of physical memory. */
export const FRAME_BYTES = 4096;
/** Byte offsets of the parts. */
export const WINDOW_OFFSET = 0;
export const SCRATCH_OFFSET = 32 * 1024;
export const TLB_OFFSET = 64 * 1024;
/** Behind the TLB: the cache of branch targets and the valid pages of generated code (compile/), then single words. */
export const TARGETS_OFFSET = 88 * 1024;
export const VALID_PAGES_OFFSET = 104 * 1024;
const SINGLE_WORDS = 120 * 1024;
export const FRAMES_OFFSET = 128 * 1024;
/** Not 0: the code that runs stops after its current step. */
export const INTERRUPTED_WORD = SINGLE_WORDS / 4;
/** Counts what may have changed a fetch translation (memory/tlb.ts). */
export const GENERATION_WORD = INTERRUPTED_WORD + 1;
/** The byte address where generated code records the next data access (state/access-log.ts); the records end at the frames. */
export const ACCESSES_WORD = GENERATION_WORD + 1;
/** The mode of the code that runs (execute/block-finder.ts). */
export const MODE_WORD = ACCESSES_WORD + 1;
/** Not 0: something may wait to be taken at the next boundary. */
export const ATTENTION_WORD = MODE_WORD + 1;
export const ACCESSES_OFFSET = SINGLE_WORDS + 64;
/** 64-bit slots of the register window. */
export const WINDOW_SLOTS = SCRATCH_OFFSET / 8;

const WASM_PAGE_BYTES = 64 * 1024;
/** 256 MiB of frames in use; when they are used up, the draft spills them and starts again. Untouched pages cost nothing. */
const DEFAULT_FRAME_SLOTS = 64 * 1024;

/** The typed views of one hot memory. Never grown: growing would detach the views that compiled closures hold. */
export class Workbench {
  readonly memory: WebAssembly.Memory;
  readonly frameSlots: number;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly quads: BigUint64Array;
  readonly view: DataView;
  /** Who uses it now, and how to take it away (state/workbench-pool.ts). */
  owner: { release(): void } | undefined;

  constructor(frameSlots = DEFAULT_FRAME_SLOTS) {
    const pages = Math.ceil((FRAMES_OFFSET + frameSlots * FRAME_BYTES) / WASM_PAGE_BYTES);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.frameSlots = frameSlots;
    this.bytes = new Uint8Array(this.memory.buffer);
    this.words = new Int32Array(this.memory.buffer);
    this.quads = new BigUint64Array(this.memory.buffer);
    this.view = new DataView(this.memory.buffer);
  }
}
