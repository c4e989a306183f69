// Finds the block at RIP: by RIP alone while nothing changed, then by the frame that RIP is mapped to, and makes it if there
// is none.
import { GP, raise } from '../interrupt/exceptions.js';
import { fetchAddress, fetchableBytes } from '../memory/segmentation.js';
import { slotOf } from '../register/register-file.js';
import type { MachineDraft } from '../state/draft.js';
import { FRAME_BYTES } from '../state/workbench.js';
import type { Block, ModeKey } from './block.js';
import { type BlockOrigin, buildBlock, restOfPage, type StepBinder } from './block-builder.js';
import { BlockCache, type CachedBlock } from './block-cache.js';
import type { CodeMode } from './code-mode.js';
import { LONGEST_INSTRUCTION } from './decode.js';

const RIP = slotOf('RIP') * 2;
const FRONT_ENTRIES = 4096;

interface FrontEntry {
  readonly low: number;
  readonly high: number;
  readonly generation: number;
  readonly mode: ModeKey;
  readonly block: Block;
}

/** An instruction was fetched from a page that is mapped to a frame. */
type Fetched = (low: number, high: number, frame: number, user: boolean) => void;

/** The decoded blocks of one draft. */
export class BlockFinder {
  readonly #draft: MachineDraft;
  readonly #binder: StepBinder;
  readonly #words: Int32Array;
  readonly #fetched: Fetched;
  readonly #cache = new BlockCache();
  /** Blocks by RIP: valid for one generation of the TLB and one mode. */
  #front: (FrontEntry | undefined)[] = [];

  constructor(draft: MachineDraft, binder: StepBinder, fetched: Fetched) {
    this.#draft = draft;
    this.#binder = binder;
    this.#words = draft.bench.words;
    this.#fetched = fetched;
  }

  /** The block at RIP. Fetching may fault. */
  find(mode: CodeMode): Block {
    const low = this.#words[RIP] as number;
    const high = this.#words[RIP + 1] as number;
    const entry = this.#front[(low ^ (low >>> 12)) & (FRONT_ENTRIES - 1)];
    if (
      entry !== undefined &&
      entry.low === low &&
      entry.high === high &&
      entry.generation === this.#draft.tlb.generation &&
      entry.mode === mode.key
    ) {
      return entry.block;
    }
    return this.#findSlow(low, high, mode);
  }

  /** A block that is decoded already. */
  known(frame: number, offset: number, mode: ModeKey): Block | undefined {
    return this.#cache.find(frame, offset, mode);
  }

  /** Bytes of a frame are code that depends on them, beside the blocks. */
  cover(frame: number, offset: number, length: number): void {
    this.#cache.cover(frame, offset, length);
  }

  /** Bytes of a frame were written. Whether something was decoded from them. */
  written(frame: number, offset: number, length: number): boolean {
    return this.#cache.written(frame, offset, length);
  }

  /** All blocks that are decoded from what stands in memory. */
  all(): Iterable<CachedBlock> {
    return this.#cache.all();
  }

  /** Whether anything is decoded from a frame. */
  holds(frame: number): boolean {
    return this.#cache.holds(frame);
  }

  /** Another state was loaded. */
  forget(): void {
    this.#cache.clear();
    this.#front = new Array<FrontEntry | undefined>(FRONT_ENTRIES);
  }

  #findSlow(low: number, high: number, mode: CodeMode): Block {
    const { tlb, memory } = this.#draft;
    const is64 = mode.codeWidth === 64;
    const [linearLow, linearHigh] = is64 ? [low, high] : [fetchAddress(this.#words, low), 0];
    const offset = tlb.fetchOffset(linearLow, linearHigh);
    const frame = memory.frameAt(offset);
    memory.markCode(frame); // again, if the slots were spilled since the block was made
    if (frame >= 0) this.#fetched(linearLow, linearHigh, frame, mode.user);
    const room = is64 ? Number.MAX_SAFE_INTEGER : fetchableBytes(this.#words, low);
    let block = frame < 0 ? undefined : this.#cache.find(frame, offset % FRAME_BYTES, mode.key);
    // The closures know their RIP: a frame mapped at two linear addresses has blocks for the one that was used last.
    if (block === undefined || block.low[0] !== low || block.high[0] !== high || block.bytes.length > room)
      block = this.#make([low, high], [linearLow, linearHigh], offset, frame, room, mode);
    const { generation } = tlb;
    this.#front[(low ^ (low >>> 12)) & (FRONT_ENTRIES - 1)] = { low, high, generation, mode: mode.key, block };
    return block;
  }

  #make(
    [low, high]: readonly [number, number],
    linear: readonly [low: number, high: number],
    offset: number,
    frame: number,
    room: number,
    mode: CodeMode,
  ): Block {
    const { bytes: memory } = this.#draft.bench;
    const page = offset < 0 ? new Uint8Array(LONGEST_INSTRUCTION).fill(0xff) : restOfPage(memory, offset);
    const bytes = page.subarray(0, room);
    const within = offset % FRAME_BYTES;
    const revived = frame < 0 ? undefined : this.#cache.revive(frame, within, mode.key, low, high, bytes);
    if (revived !== undefined) return revived;
    const origin = this.#origin(low, high, mode);
    const block = buildBlock(this.#draft, this.#binder, bytes, origin, this.#cache.longestIn(frame));
    if (block === undefined) return this.#crossing(linear, page, room, origin, frame);
    if (frame >= 0) this.#cache.add(frame, within, mode.key, block);
    return block;
  }

  /** One instruction whose bytes lie in two pages: found through the front only, which any flush empties. */
  #crossing(
    [linearLow, linearHigh]: readonly [low: number, high: number],
    first: Uint8Array,
    room: number,
    origin: BlockOrigin,
    frame: number,
  ): Block {
    if (first.length >= room) raise(GP(0), 'core.segmentation.limit-or-type');
    const { tlb, memory, bench } = this.#draft;
    const nextLow = (linearLow + first.length) | 0;
    const nextHigh = origin.codeWidth === 64 && nextLow >>> 0 < first.length ? (linearHigh + 1) | 0 : linearHigh;
    const offset = tlb.fetchOffset(nextLow, nextHigh);
    const nextFrame = memory.frameAt(offset);
    memory.markCode(nextFrame);
    const second =
      offset < 0
        ? new Uint8Array(LONGEST_INSTRUCTION).fill(0xff)
        : bench.bytes.slice(offset, offset + LONGEST_INSTRUCTION);
    const bytes = new Uint8Array([...first, ...second]).subarray(0, room);
    const block = buildBlock(this.#draft, this.#binder, bytes, origin, 1);
    if (block === undefined && bytes.length === room) raise(GP(0), 'core.segmentation.limit-or-type');
    if (block === undefined) throw new RangeError('15 bytes hold no instruction and are not invalid');
    if (frame >= 0) this.#cache.cover(frame, FRAME_BYTES - first.length, first.length);
    if (nextFrame >= 0) this.#cache.cover(nextFrame, 0, LONGEST_INSTRUCTION);
    return block;
  }

  #origin(low: number, high: number, { codeWidth, stackWidth }: CodeMode): BlockOrigin {
    return {
      rip: (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0),
      codeWidth,
      stackWidth,
      linearBits: this.#draft.current.CR4.LA57 ? 57 : 48,
    };
  }
}
