// Blocks found by physical frame and offset. A store to bytes that blocks were decoded from retires those blocks: they wait
// for their bytes to come back, as they do when an earlier state is loaded.
import type { Block, ModeKey } from './block.js';
import { LONGEST_BLOCK } from './block.js';
import { CodeCoverage } from './code-coverage.js';

/** Blocks that wait, at the most; with one more all are forgotten. */
const MOST_RETIRED = 16_384;
/** Versions of the code at one address that are kept. */
const MOST_VERSIONS = 4;

interface Frame {
  readonly blocks: Map<number, Block>;
  readonly coverage: CodeCoverage;
}

/** A block with the frame of its bytes and the mode that it was decoded for. */
export interface CachedBlock {
  readonly block: Block;
  readonly frame: number;
  readonly mode: ModeKey;
}

/** Blocks by where their bytes lie. */
export class BlockCache {
  readonly #frames = new Map<number, Frame>();
  /** By RIP and mode. */
  readonly #retired = new Map<number, Block[]>();
  #retiredCount = 0;
  /** How often code of a frame was written. */
  readonly #writes = new Map<number, number>();

  find(frame: number, offset: number, mode: ModeKey): Block | undefined {
    return this.#frames.get(frame)?.blocks.get(keyOf(offset, mode));
  }

  add(frame: number, offset: number, mode: ModeKey, block: Block): void {
    const { blocks } = this.cover(frame, offset, block.bytes.length);
    blocks.set(keyOf(offset, mode), block);
  }

  /** Something is decoded from a range of a frame: `written` will tell of it. */
  cover(frame: number, offset: number, length: number): Frame {
    const known = this.#frames.get(frame) ?? { blocks: new Map(), coverage: new CodeCoverage() };
    this.#frames.set(frame, known);
    known.coverage.add(offset, length);
    return known;
  }

  /** Some bytes of a frame were written: retires what was decoded from them. Whether there was anything. */
  written(frame: number, offset: number, length: number): boolean {
    const known = this.#frames.get(frame);
    if (known?.coverage.remove(offset, length) !== true) return false;
    for (const [key, block] of known.blocks) {
      const start = offsetOf(key);
      if (start >= offset + length || start + block.bytes.length <= offset) continue;
      known.blocks.delete(key);
      this.#retire(block, modeOf(key));
    }
    this.#writes.set(frame, (this.#writes.get(frame) ?? 0) + 1);
    return true;
  }

  /** All blocks whose bytes are there. */
  *all(): Iterable<CachedBlock> {
    for (const [frame, { blocks }] of this.#frames)
      for (const [key, block] of blocks) yield { block, frame, mode: modeOf(key) };
  }

  /** Whether anything is decoded from a frame. */
  holds(frame: number): boolean {
    return this.#frames.get(frame)?.coverage.isEmpty === false;
  }

  /** A retired block for a RIP whose bytes are those that stand there now. */
  revive(
    frame: number,
    offset: number,
    mode: ModeKey,
    low: number,
    high: number,
    bytes: Uint8Array,
  ): Block | undefined {
    const waiting = this.#retired.get(keyOf(low >>> 0, mode));
    const index = waiting?.findIndex((block) => block.high[0] === high && isPrefix(block.bytes, bytes)) ?? -1;
    const block = waiting?.[index];
    if (waiting === undefined || block === undefined) return undefined;
    waiting.splice(index, 1);
    this.#retiredCount--;
    this.add(frame, offset, mode, block);
    return block;
  }

  #retire(block: Block, mode: ModeKey): void {
    if (this.#retiredCount >= MOST_RETIRED) {
      this.#retired.clear();
      this.#retiredCount = 0;
    }
    const key = keyOf((block.low[0] as number) >>> 0, mode);
    const waiting = this.#retired.get(key) ?? [];
    this.#retired.set(key, waiting);
    waiting.unshift(block);
    if (waiting.length > MOST_VERSIONS) waiting.pop();
    else this.#retiredCount++;
  }

  /** How long a block is worth making: code that is written again and again is decoded again as often. */
  longestIn(frame: number): number {
    return Math.max(LONGEST_BLOCK >> (this.#writes.get(frame) ?? 0), 1);
  }

  /** Nothing is known of the frames any more. */
  clear(): void {
    for (const { blocks } of this.#frames.values()) for (const [key, block] of blocks) this.#retire(block, modeOf(key));
    this.#frames.clear();
    this.#writes.clear();
  }
}

/** Modes are below 64. */
const MODES = 64;
const keyOf = (place: number, mode: ModeKey): number => place * MODES + mode;
const offsetOf = (key: number): number => Math.floor(key / MODES);
const modeOf = (key: number): ModeKey => key % MODES;

function isPrefix(start: Uint8Array, bytes: Uint8Array): boolean {
  return start.length <= bytes.length && start.every((byte, index) => byte === bytes[index]);
}
