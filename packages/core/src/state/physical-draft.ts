// Physical memory inside a draft: the frames in use lie in slots of the hot memory, the rest in the persistent map below.
// Every write to a frame that something depends on (decoded code, page tables, a plugin's structure) is noticed here or,
// on the fast path, by never granting such a frame a write entry in the TLB.

import type { FrameMap } from './frame-map.js';
import { checkedAddress, isRam, type PhysicalRange } from './memory.js';
import { FRAME_BYTES, FRAMES_OFFSET, type Workbench } from './workbench.js';

/** What is known of a frame in use. */
export const FRAME_FLAG = {
  /** Differs from the base: must be copied when sealing. */
  dirty: 1,
  /** Blocks were decoded from it. */
  code: 2,
  /** A page walk read it. */
  pageTable: 4,
  /** A plugin watches stores to it. */
  watched: 8,
} as const;

/** Not the place of a word, nor is the one behind it. */
const ABSENT = -2;

/** Sizes that are moved as one value. */
type ValueBytes = 1 | 2 | 4 | 8;

const READS: Readonly<Record<ValueBytes, (view: DataView, offset: number) => bigint>> = {
  1: (view, offset) => BigInt(view.getUint8(offset)),
  2: (view, offset) => BigInt(view.getUint16(offset, true)),
  4: (view, offset) => BigInt(view.getUint32(offset, true)),
  8: (view, offset) => view.getBigUint64(offset, true),
};

const WRITES: Readonly<Record<ValueBytes, (view: DataView, offset: number, value: bigint) => void>> = {
  1: (view, offset, value) => view.setUint8(offset, Number(value & 0xffn)),
  2: (view, offset, value) => view.setUint16(offset, Number(value & 0xffffn), true),
  4: (view, offset, value) => view.setUint32(offset, Number(value & 0xffff_ffffn), true),
  8: (view, offset, value) => view.setBigUint64(offset, value, true),
};

/** Flags under which a store must take the slow path. */
const NOTICED = FRAME_FLAG.code | FRAME_FLAG.pageTable | FRAME_FLAG.watched;
/**
 * Slots kept free: the spill happens between blocks and between events, and each of the 64 instructions of a block may
 * bring in two operands on two pages each, with the page tables on the way there.
 */
const RESERVED_SLOTS = 2048;

/** Frames that are found by a table: those below 4 GiB. */
const MOST_LOW_FRAMES = 2 ** 20;

/** What must be told about memory. */
export interface MemoryDependents {
  /** Bytes of a frame that blocks were decoded from were written. Whether the frame still has code that is known. */
  codeWritten(frame: number, offset: number, length: number): boolean;
  pageTableWritten(): void;
  /** Byte offsets of slots, or who may write to them, are no longer valid. */
  slotsMoved(): void;
  /** Only while an origin is searched. */
  traced?(address: number, bytes: number): void;
}

/** The memory of a draft. Addresses are physical, as numbers; what is not RAM reads as ones and ignores writes. */
export class PhysicalDraft {
  readonly #bench: Workbench;
  readonly #dependents: MemoryDependents;
  readonly ranges: readonly PhysicalRange[];
  #base: FrameMap;
  /** The slots of the lowest frames, plus one; 0: not in use. Walks and misses of the TLB ask for them all the time. */
  readonly #lowSlots: Int32Array;
  readonly #highSlots = new Map<number, number>();
  readonly #frameOfSlot: number[] = [];
  readonly #flags: Uint8Array;
  #dirtySlots: number[] = [];
  /** Views of slots that were asked for in words, by offset. */
  readonly #wordsOfSlots = new Map<number, Int32Array>();
  readonly #watched = new Map<number, number>();

  constructor(bench: Workbench, base: FrameMap, ranges: readonly PhysicalRange[], dependents: MemoryDependents) {
    this.#bench = bench;
    this.#base = base;
    this.ranges = ranges;
    this.#dependents = dependents;
    this.#flags = new Uint8Array(bench.frameSlots);
    const end = Math.max(...ranges.map((range) => range.end));
    this.#lowSlots = new Int32Array(Math.min(Math.ceil(end / FRAME_BYTES), MOST_LOW_FRAMES));
  }

  /** Forgets everything and starts from other contents. */
  load(base: FrameMap): void {
    this.#watched.clear();
    this.#restart(base);
  }

  #restart(base: FrameMap): void {
    this.#base = base;
    for (const frame of this.#frameOfSlot) if (frame < this.#lowSlots.length) this.#lowSlots[frame] = 0;
    this.#highSlots.clear();
    this.#flags.fill(0, 0, this.#frameOfSlot.length);
    this.#frameOfSlot.length = 0;
    this.#dirtySlots = [];
    this.#dependents.slotsMoved();
  }

  /** Whether the slots are nearly used up; call `spill` before the next instruction. */
  get isCrowded(): boolean {
    return this.#frameOfSlot.length > this.#bench.frameSlots - RESERVED_SLOTS;
  }

  /** Moves every changed frame to the base and frees all slots. */
  spill(): void {
    this.#restart(this.seal());
  }

  /** The contents as a persistent map: costs the dirty frames. */
  seal(): FrameMap {
    if (this.#dirtySlots.length === 0) return this.#base;
    this.#base = this.#base.with(
      this.#dirtySlots.map((slot) => [this.#frameOfSlot[slot] ?? 0, this.#slotBytes(slot).slice()] as const),
    );
    for (const slot of this.#dirtySlots) this.#flags[slot] = (this.#flags[slot] ?? 0) & ~FRAME_FLAG.dirty;
    this.#dirtySlots = [];
    this.#dependents.slotsMoved();
    return this.#base;
  }

  #slotBytes(slot: number): Uint8Array {
    const start = FRAMES_OFFSET + slot * FRAME_BYTES;
    return this.#bench.bytes.subarray(start, start + FRAME_BYTES);
  }

  /** Frame number to byte offset in the hot memory, or -1 where there is no RAM. */
  offsetOf(frame: number): number {
    const known = this.#slotOf(frame);
    const slot = known < 0 ? this.#bringIn(frame) : known;
    return slot < 0 ? -1 : FRAMES_OFFSET + slot * FRAME_BYTES;
  }

  /** The slot of a frame in use, or -1. */
  #slotOf(frame: number): number {
    if (frame < this.#lowSlots.length) return (this.#lowSlots[frame] ?? 0) - 1;
    return this.#highSlots.get(frame) ?? -1;
  }

  #bringIn(frame: number): number {
    if (!isRam(this.ranges, frame * FRAME_BYTES)) return -1;
    const slot = this.#frameOfSlot.length;
    this.#frameOfSlot.push(frame);
    if (frame < this.#lowSlots.length) this.#lowSlots[frame] = slot + 1;
    else this.#highSlots.set(frame, slot);
    const bytes = this.#base.get(frame);
    if (bytes === undefined) this.#slotBytes(slot).fill(0);
    else this.#slotBytes(slot).set(bytes);
    this.#flags[slot] = this.#watched.has(frame) ? FRAME_FLAG.watched : 0;
    return slot;
  }

  /** The frame whose slot holds a byte offset of the hot memory; -1 for the offset of no RAM. */
  frameAt(offset: number): number {
    return offset < 0 ? -1 : (this.#frameOfSlot[Math.floor((offset - FRAMES_OFFSET) / FRAME_BYTES)] ?? -1);
  }

  /** Whether stores to the frame are told to who decoded it. */
  isCode(frame: number): boolean {
    return (this.#flagsOf(frame) & FRAME_FLAG.code) !== 0;
  }

  /** Blocks are about to be decoded from the frame. */
  markCode(frame: number): void {
    if (frame >= 0) this.mark(frame, FRAME_FLAG.code);
  }

  /** Adds a flag to a frame of RAM. */
  mark(frame: number, flag: number): void {
    const offset = this.offsetOf(frame);
    if (offset < 0) return;
    const slot = (offset - FRAMES_OFFSET) / FRAME_BYTES;
    const before = this.#flags[slot] ?? 0;
    if ((before & flag) === flag) return;
    this.#flags[slot] = before | flag;
    if (flag === FRAME_FLAG.dirty) this.#dirtySlots.push(slot);
    // A store entry of the TLB may exist for the frame: it must not bypass what now depends on it.
    else this.#dependents.slotsMoved();
  }

  /** Prepares a store to a frame: marks it dirty. Whether further stores may bypass this. */
  beginStore(frame: number): boolean {
    this.mark(frame, FRAME_FLAG.dirty);
    return (this.#flagsOf(frame) & NOTICED) === 0;
  }

  /** Whether a plugin watches stores to the frame. */
  isWatched(frame: number): boolean {
    return this.#watched.has(frame);
  }

  #flagsOf(frame: number): number {
    const slot = this.#slotOf(frame);
    return slot < 0 ? 0 : (this.#flags[slot] as number);
  }

  /** Tells who depends on a frame that `bytes` bytes of it at `address` were written. */
  noticeStore(address: number, bytes: number): void {
    const frame = Math.floor(address / FRAME_BYTES);
    const flags = this.#flagsOf(frame);
    if (flags & FRAME_FLAG.code) this.#noticeCode(frame, address % FRAME_BYTES, bytes);
    if (flags & FRAME_FLAG.pageTable) {
      this.#clear(frame, FRAME_FLAG.pageTable);
      this.#dependents.pageTableWritten();
    }
    this.#dependents.traced?.(address, bytes);
  }

  #noticeCode(frame: number, offset: number, length: number): void {
    if (!this.#dependents.codeWritten(frame, offset, length)) this.#clear(frame, FRAME_FLAG.code);
  }

  #clear(frame: number, flag: number): void {
    const slot = this.#slotOf(frame);
    if (slot >= 0) this.#flags[slot] = (this.#flags[slot] ?? 0) & ~flag;
  }

  /** Asks for `watchedStore` intercepts on stores by instructions to the frame; counted, so that watchers can overlap. */
  watch(frame: number): void {
    this.#watched.set(frame, (this.#watched.get(frame) ?? 0) + 1);
    this.mark(frame, FRAME_FLAG.watched);
  }

  /** Takes back one `watch`. */
  unwatch(frame: number): void {
    const left = (this.#watched.get(frame) ?? 0) - 1;
    if (left > 0) this.#watched.set(frame, left);
    else if (this.#watched.delete(frame)) this.#clear(frame, FRAME_FLAG.watched);
  }

  /** An unsigned little-endian value of 1, 2, 4 or 8 bytes. */
  read(address: number | bigint, bytes: ValueBytes): bigint {
    const at = checkedAddress(address);
    const within = at % FRAME_BYTES;
    const offset = within + bytes <= FRAME_BYTES ? this.offsetOf((at - within) / FRAME_BYTES) : -1;
    if (offset >= 0) return READS[bytes](this.#bench.view, offset + within);
    return this.readBytes(at, bytes).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }

  /** Stores the low `bytes` bytes of a value. */
  write(address: number | bigint, bytes: ValueBytes, value: bigint): void {
    const at = checkedAddress(address);
    const within = at % FRAME_BYTES;
    const frame = (at - within) / FRAME_BYTES;
    const offset = within + bytes <= FRAME_BYTES ? this.offsetOf(frame) : -1;
    if (offset < 0) {
      this.writeBytes(
        at,
        Uint8Array.from({ length: bytes }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn)),
      );
      return;
    }
    this.mark(frame, FRAME_FLAG.dirty);
    WRITES[bytes](this.#bench.view, offset + within, value);
    this.noticeStore(at, bytes);
  }

  /** A copy of bytes. Frames that are not in use stay so: whoever looks at much memory takes no slots for it. */
  readBytes(address: number | bigint, length: number): Uint8Array {
    const start = checkedAddress(address);
    const result = new Uint8Array(length);
    for (const { at, done, size } of pieces(start, length)) {
      const frame = Math.floor(at / FRAME_BYTES);
      const within = at % FRAME_BYTES;
      const slot = this.#slotOf(frame);
      if (!isRam(this.ranges, at)) result.fill(0xff, done, done + size);
      else {
        const bytes = slot < 0 ? this.#base.get(frame) : this.#slotBytes(slot);
        if (bytes !== undefined) result.set(bytes.subarray(within, within + size), done);
      }
    }
    return result;
  }

  /** Stores bytes, as a loader, a device or the processor itself does: not seen by `watchedStore`. */
  writeBytes(address: number | bigint, bytes: Uint8Array): void {
    const start = checkedAddress(address);
    for (const { at, done, size } of pieces(start, bytes.length)) {
      if (bytes.length > FRAME_BYTES && this.isCrowded) this.spill();
      const frame = Math.floor(at / FRAME_BYTES);
      const offset = this.offsetOf(frame);
      if (offset < 0) continue;
      this.mark(frame, FRAME_FLAG.dirty);
      this.#bench.bytes.set(bytes.subarray(done, done + size), offset + (at % FRAME_BYTES));
      this.noticeStore(at, size);
    }
  }

  /** Where an aligned doubleword is, as `wordAt` takes it, once its frame has a flag: -2 where there is no RAM. */
  markedWord(address: number, flag: number): number {
    const frame = Math.floor(address / FRAME_BYTES);
    const offset = this.offsetOf(frame);
    if (offset < 0) return ABSENT;
    if (((this.#flags[(offset - FRAMES_OFFSET) / FRAME_BYTES] as number) & flag) === 0) this.mark(frame, flag);
    return (offset + (address % FRAME_BYTES)) >> 2;
  }

  /** Where a doubleword of a paging structure is: translations made of it end when its frame is written. */
  pagingWord(address: number): number {
    return this.markedWord(address, FRAME_FLAG.pageTable);
  }

  /** The doublewords of a frame where they lie in the hot memory. */
  frameWords(frame: number): Int32Array | undefined {
    const offset = this.offsetOf(frame);
    if (offset < 0) return undefined;
    let words = this.#wordsOfSlots.get(offset);
    if (words === undefined) {
      words = this.#bench.words.subarray(offset / 4, (offset + FRAME_BYTES) / 4);
      this.#wordsOfSlots.set(offset, words);
    }
    return words;
  }

  /** An aligned doubleword, as a signed integer; absent RAM reads as ones. */
  load32(address: number): number {
    const offset = this.offsetOf(Math.floor(address / FRAME_BYTES));
    return offset < 0 ? -1 : (this.#bench.words[(offset + (address % FRAME_BYTES)) >> 2] as number);
  }

  /** Stores an aligned doubleword; absent RAM swallows it. */
  store32(address: number, value: number): void {
    const frame = Math.floor(address / FRAME_BYTES);
    const offset = this.offsetOf(frame);
    if (offset < 0) return;
    this.mark(frame, FRAME_FLAG.dirty);
    this.#bench.words[(offset + (address % FRAME_BYTES)) >> 2] = value;
    this.noticeStore(address, 4);
  }

  /** The doubleword at such a place; absent RAM reads as ones. */
  wordAt(word: number): number {
    return word < 0 ? -1 : (this.#bench.words[word] as number);
  }

  /** Sets bits of an aligned doubleword: accessed and dirty flags. Page tables stay trusted: no translation gets stale. */
  setBits(address: number, bits: number): void {
    const frame = Math.floor(address / FRAME_BYTES);
    const offset = this.offsetOf(frame);
    if (offset < 0) return;
    this.mark(frame, FRAME_FLAG.dirty);
    const index = (offset + (address % FRAME_BYTES)) >> 2;
    this.#bench.words[index] = (this.#bench.words[index] ?? 0) | bits;
    if (this.#flagsOf(frame) & FRAME_FLAG.code) this.#noticeCode(frame, address % FRAME_BYTES, 4);
    this.#dependents.traced?.(address, 4);
  }
}

function* pieces(start: number, length: number): IterableIterator<{ at: number; done: number; size: number }> {
  for (let done = 0; done < length; ) {
    const at = start + done;
    const size = Math.min(length - done, FRAME_BYTES - (at % FRAME_BYTES));
    yield { at, done, size };
    done += size;
  }
}
