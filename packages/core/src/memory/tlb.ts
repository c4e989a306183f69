// The software TLB: linear pages to byte offsets in the hot memory, so that a load or store is one comparison and one
// DataView access. Four words an entry: tag low (page | 1), tag high, offset, offset less page (memory/tlb-layout.ts).
//
// It is no architectural state: a page table that changes, a context that changes and a sealed state empty what they
// must, so that translations are always those of the tables in memory (the coherent choice, DESIGN.md).
import { AC, GP, raise, SS } from '../interrupt/exceptions.js';
import type { Cpu } from '../state/cpu.js';
import { FRAME_FLAG, type PhysicalDraft } from '../state/physical-draft.js';
import { FRAME_BYTES, GENERATION_WORD, TLB_OFFSET, type Workbench } from '../state/workbench.js';
import { isCanonical } from './canonical.js';
import { type LinearMemory, type SegmentIndex, wide } from './linear-memory.js';
import { type AccessKind, walk } from './paging.js';
import { segmentedAddress } from './segmentation.js';
import { type TlbContext, translatesAlike } from './tlb-context.js';
import { TLB_BYTES, TLB_ENTRIES, TLB_ENTRY } from './tlb-layout.js';
import { type TranslationBuffer, translateThrough } from './translation-buffer.js';

const ENTRIES = TLB_ENTRIES;
const ENTRY_WORDS = 4;
const BANK_WORDS = ENTRIES * ENTRY_WORDS;
const KINDS = 3;
const WORDS = TLB_BYTES / 4;
const FIRST_WORD = TLB_OFFSET / 4;
const PAGE_MASK = FRAME_BYTES - 1;
/** Found by the fast path, or only by the slow path that tells the observers. */
const { plain: PLAIN, observed: OBSERVED } = TLB_ENTRY;
/** The same of a page without RAM: the slow path finds the number of its frame in the entry, in halves. */
const DEVICE = 5;
const STACK: SegmentIndex = 2;

/** Who observes data accesses: nobody, those alone who hear of them in batches, or somebody who wants each at once. */
type Observation = 'none' | 'batches' | 'each';

/** Called for each data access when somebody observes them, and for stores to watched frames. */
export interface AccessObserver {
  accessed(physical: number, bytes: number, write: boolean): void;
  /** The same with the linear address, for breakpoints. */
  touched(address: bigint, bytes: number, write: boolean): void;
  watchedStore(physical: number, bytes: number): void;
  /** The processor whose memory it is, with the model of its TLB if the machine has one. */
  readonly current: Cpu;
  translationDisplaced(): void;
  /** What answers where there is no RAM, or hides it. */
  readonly devices: {
    hides(frame: number): boolean;
    read(address: number, bytes: 1 | 2 | 4): number;
    write(address: number, value: number, bytes: 1 | 2 | 4): void;
  };
}

/** Linear memory of the current processor. */
export class SoftwareTlb implements LinearMemory {
  readonly #words: Int32Array;
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #memory: PhysicalDraft;
  readonly #observer: AccessObserver;
  #context: TlbContext;
  #read = FIRST_WORD;
  #write = FIRST_WORD + BANK_WORDS;
  #fetch = FIRST_WORD + 2 * BANK_WORDS;
  #observation: Observation = 'none';
  /** Breakpoints on data are enabled. */
  breakpoints = false;
  /** The entries of the user bank were made for a program whose accesses are checked: the fast path does not know them. */
  #userAligned = false;
  #compared: TlbContext | undefined;
  #comparedWith: TlbContext | undefined;
  #alike = false;
  /** An entry was made since the last flush; the bench may have come with entries of somebody else. */
  #used = true;

  constructor(bench: Workbench, memory: PhysicalDraft, observer: AccessObserver, context: TlbContext) {
    this.#words = bench.words;
    this.#view = bench.view;
    this.#bytes = bench.bytes;
    this.#memory = memory;
    this.#observer = observer;
    this.#context = context;
  }

  /** Counts what may have changed a fetch translation: block look-ups compare it, and those of generated code. */
  get generation(): number {
    return this.#words[GENERATION_WORD] as number;
  }

  /** What was found before may not be true any more. */
  advanceGeneration(): void {
    this.#words[GENERATION_WORD] = (this.generation + 1) | 0;
  }

  /** Begins or ends the observation of data accesses: entries made before have the wrong tag. */
  observe(observation: Observation): void {
    if ((observation === 'none') === this.#isObserved) this.flush();
    this.#observation = observation;
  }

  /** While true, data accesses take the slow path: their entries carry a tag that the fast path does not know. */
  get #isObserved(): boolean {
    return this.#observation !== 'none';
  }

  /** Whether generated code cannot make accesses: they are told one by one, or their tag may mean that they are checked. */
  get takesEach(): boolean {
    return this.#observation === 'each' || (this.#observation === 'batches' && this.#checksAlignment);
  }

  /** Forgets every translation. */
  flush(): void {
    this.advanceGeneration();
    if (!this.#used) return;
    this.#used = false;
    this.#words.fill(0, FIRST_WORD, FIRST_WORD + WORDS);
  }

  /** Another processor, mode or privilege level. Banks keep their entries across a change of privilege alone. */
  enter(context: TlbContext): void {
    const before = this.#context;
    if (context === before) return;
    this.#context = context;
    const bank = FIRST_WORD + (context.user ? KINDS * BANK_WORDS : 0);
    this.#read = bank;
    this.#write = bank + BANK_WORDS;
    this.#fetch = bank + 2 * BANK_WORDS;
    const alignmentChanged = context.user && context.alignmentCheck !== this.#userAligned;
    if (context.user) this.#userAligned = context.alignmentCheck;
    if (alignmentChanged || !this.#translatesAlike(before, context)) this.flush();
  }

  /** Two contexts often take turns: what was found of them last is kept. */
  #translatesAlike(before: TlbContext, context: TlbContext): boolean {
    const [one, other] = [this.#compared, this.#comparedWith];
    if ((before === one && context === other) || (before === other && context === one)) return this.#alike;
    this.#compared = before;
    this.#comparedWith = context;
    this.#alike = translatesAlike(before, context);
    return this.#alike;
  }

  load8(low: number, high: number, segment: SegmentIndex): number {
    const entry = this.#read + ((low >>> 12) & 255) * ENTRY_WORDS;
    const words = this.#words;
    if (words[entry] === ((low & ~PAGE_MASK) | 1) && words[entry + 1] === high)
      return this.#bytes[(words[entry + 2] as number) + (low & PAGE_MASK)] as number;
    return this.#loadSlow(low, high, segment, 1, 'read');
  }

  load16(low: number, high: number, segment: SegmentIndex): number {
    const entry = this.#read + ((low >>> 12) & 255) * ENTRY_WORDS;
    const words = this.#words;
    const within = low & PAGE_MASK;
    if (words[entry] === ((low & ~PAGE_MASK) | 1) && words[entry + 1] === high && within <= 4094)
      return this.#view.getUint16((words[entry + 2] as number) + within, true);
    return this.#loadSlow(low, high, segment, 2, 'read');
  }

  load32(low: number, high: number, segment: SegmentIndex): number {
    const entry = this.#read + ((low >>> 12) & 255) * ENTRY_WORDS;
    const words = this.#words;
    const within = low & PAGE_MASK;
    if (words[entry] === ((low & ~PAGE_MASK) | 1) && words[entry + 1] === high && within <= 4092)
      return this.#view.getInt32((words[entry + 2] as number) + within, true);
    return this.#loadSlow(low, high, segment, 4, 'read');
  }

  load64(low: number, high: number, segment: SegmentIndex): number {
    const entry = this.#read + ((low >>> 12) & 255) * ENTRY_WORDS;
    const words = this.#words;
    const within = low & PAGE_MASK;
    if (words[entry] === ((low & ~PAGE_MASK) | 1) && words[entry + 1] === high && within <= 4088) {
      const offset = (words[entry + 2] as number) + within;
      wide.high = this.#view.getInt32(offset + 4, true);
      return this.#view.getInt32(offset, true);
    }
    return this.#loadSlow(low, high, segment, 8, 'read');
  }

  // A modify form checks for writing first, then loads: the write entry that it makes serves the store that follows.
  modify8(low: number, high: number, segment: SegmentIndex): number {
    return this.#canStore(low, high, 1)
      ? this.load8(low, high, segment)
      : this.#loadSlow(low, high, segment, 1, 'write');
  }

  modify16(low: number, high: number, segment: SegmentIndex): number {
    return this.#canStore(low, high, 2)
      ? this.load16(low, high, segment)
      : this.#loadSlow(low, high, segment, 2, 'write');
  }

  modify32(low: number, high: number, segment: SegmentIndex): number {
    return this.#canStore(low, high, 4)
      ? this.load32(low, high, segment)
      : this.#loadSlow(low, high, segment, 4, 'write');
  }

  modify64(low: number, high: number, segment: SegmentIndex): number {
    return this.#canStore(low, high, 8)
      ? this.load64(low, high, segment)
      : this.#loadSlow(low, high, segment, 8, 'write');
  }

  store8(low: number, high: number, segment: SegmentIndex, value: number): void {
    if (this.#canStore(low, high, 1)) this.#bytes[this.#storeOffset(low)] = value;
    else this.#storeSlow(low, high, segment, 1, value, 0);
  }

  store16(low: number, high: number, segment: SegmentIndex, value: number): void {
    if (this.#canStore(low, high, 2)) this.#view.setUint16(this.#storeOffset(low), value, true);
    else this.#storeSlow(low, high, segment, 2, value, 0);
  }

  store32(low: number, high: number, segment: SegmentIndex, value: number): void {
    if (this.#canStore(low, high, 4)) this.#view.setInt32(this.#storeOffset(low), value, true);
    else this.#storeSlow(low, high, segment, 4, value, 0);
  }

  store64(low: number, high: number, segment: SegmentIndex, valueLow: number, valueHigh: number): void {
    if (this.#canStore(low, high, 8)) {
      const offset = this.#storeOffset(low);
      this.#view.setInt32(offset, valueLow, true);
      this.#view.setInt32(offset + 4, valueHigh, true);
    } else this.#storeSlow(low, high, segment, 8, valueLow, valueHigh);
  }

  segmented(offset: number, segment: SegmentIndex, bytes: number, write: boolean): number {
    return segmentedAddress(this.#words, this.#context.protectedMode, offset, segment, bytes, write);
  }

  #canStore(low: number, high: number, bytes: number): boolean {
    const entry = this.#write + ((low >>> 12) & 255) * ENTRY_WORDS;
    return (
      this.#words[entry] === ((low & ~PAGE_MASK) | 1) &&
      this.#words[entry + 1] === high &&
      (low & PAGE_MASK) <= FRAME_BYTES - bytes
    );
  }

  load128(low: number, high: number, segment: SegmentIndex, words: Int32Array, to: number): void {
    const entry = this.#read + ((low >>> 12) & 255) * ENTRY_WORDS;
    const own = this.#words;
    const within = low & PAGE_MASK;
    if (own[entry] !== ((low & ~PAGE_MASK) | 1) || own[entry + 1] !== high || within > FRAME_BYTES - 16) {
      this.#loadSlow(low, high, segment, 16, 'read');
      for (let word = 0; word < 4; word++) words[to + word] = wideBuffer.getInt32(word * 4, true);
      return;
    }
    const offset = (own[entry + 2] as number) + within;
    for (let word = 0; word < 4; word++) words[to + word] = this.#view.getInt32(offset + word * 4, true);
  }

  store128(low: number, high: number, segment: SegmentIndex, words: Int32Array, from: number): void {
    if (this.#canStore(low, high, 16)) {
      const offset = this.#storeOffset(low);
      for (let word = 0; word < 4; word++) this.#view.setInt32(offset + word * 4, words[from + word] as number, true);
      return;
    }
    for (let word = 0; word < 4; word++) wideBuffer.setInt32(word * 4, words[from + word] as number, true);
    this.#storeSlow(low, high, segment, 16, 0, 0);
  }

  #storeOffset(low: number): number {
    return (this.#words[this.#write + ((low >>> 12) & 255) * ENTRY_WORDS + 2] as number) + (low & PAGE_MASK);
  }

  /** Physical address of one byte for an access; raises #PF, #GP(0) or #SS(0). */
  translate(low: number, high: number, segment: SegmentIndex, access: AccessKind): number {
    if (!isCanonical(high, this.#context.linearBits))
      raise(segment === STACK ? SS(0) : GP(0), 'core.linear-address.canonical');
    const buffer = this.#observer.current.definition.translations;
    if (buffer !== undefined && this.#context.mode !== 'none') return this.#translateThrough(buffer, low, high, access);
    return walk(this.#memory, this.#context, low, high, access);
  }

  #translateThrough(buffer: TranslationBuffer, low: number, high: number, access: AccessKind): number {
    const { current } = this.#observer;
    return translateThrough(buffer, current, this.#memory, this.#context, [low, high], access, (page) =>
      this.#forget(page, access),
    );
  }

  /** The translation of a page is no longer modelled: neither entries of its index nor blocks may rely on it. */
  #forget(page: number, access: AccessKind): void {
    const index = (page & (ENTRIES - 1)) * ENTRY_WORDS; // of a number beyond 32 bits too
    for (let bank = 0; bank < 2 * KINDS; bank++) this.#words[FIRST_WORD + bank * BANK_WORDS + index] = 0;
    this.advanceGeneration();
    if (access !== 'fetch') this.#observer.translationDisplaced(); // a fetch comes between blocks
  }

  /** Byte offset of an instruction in the hot memory, or -1 where there is no RAM. */
  fetchOffset(low: number, high: number): number {
    const entry = this.#fetch + ((low >>> 12) & 255) * ENTRY_WORDS;
    if (this.#words[entry] === ((low & ~PAGE_MASK) | 1) && this.#words[entry + 1] === high)
      return (this.#words[entry + 2] as number) + (low & PAGE_MASK);
    const physical = this.translate(low, high, 1, 'fetch');
    const offset = this.#memory.offsetOf(Math.floor(physical / FRAME_BYTES));
    if (offset < 0) return -1;
    this.#enter(entry, low, high, offset, PLAIN);
    return offset + (low & PAGE_MASK);
  }

  /** The same if it is known already: nothing is translated, nothing changes. */
  knownFetchOffset(low: number, high: number): number {
    const entry = this.#fetch + ((low >>> 12) & 255) * ENTRY_WORDS;
    const isKnown = this.#words[entry] === ((low & ~PAGE_MASK) | 1) && this.#words[entry + 1] === high;
    return isKnown ? (this.#words[entry + 2] as number) + (low & PAGE_MASK) : -1;
  }

  #enter(entry: number, low: number, high: number, offset: number, tag: number): void {
    this.#used = true;
    this.#words[entry] = (low & ~PAGE_MASK) | tag;
    this.#words[entry + 1] = high;
    this.#words[entry + 2] = offset;
    this.#words[entry + 3] = (offset - (low & ~PAGE_MASK)) | 0;
  }

  #enterDevice(entry: number, low: number, high: number, frame: number): void {
    this.#enter(entry, low, high, frame | 0, DEVICE);
    this.#words[entry + 3] = Math.floor(frame / 2 ** 32);
  }

  /** SDM, "Interrupt 17—Alignment Check Exception (#AC)". Accesses of the processor itself are those of a supervisor. */
  get #checksAlignment(): boolean {
    return this.#context.user && this.#context.alignmentCheck;
  }

  #requireAligned(low: number, bytes: number): void {
    if (this.#checksAlignment && (low & (bytes - 1)) !== 0) raise(AC, 'core.alignment-check.operand');
  }

  /** Both pages of an access are translated before a byte of it is moved: it is done as a whole or not at all. */
  #pieces(
    low: number,
    high: number,
    segment: SegmentIndex,
    bytes: number,
    access: AccessKind,
  ): readonly (readonly [physical: number, bytes: number])[] {
    const first = this.translate(low, high, segment, access);
    const inFirst = Math.min(bytes, FRAME_BYTES - (low & PAGE_MASK));
    if (inFirst === bytes) return [[first, bytes]];
    const nextLow = (low + inFirst) | 0;
    // The program's addresses wrap at 4 GiB outside 64-bit mode; tables of IA-32e mode may lie above, whatever CS.L says.
    const wraps = this.#context.linearBits === 32 && high === 0;
    const nextHigh = wraps ? 0 : (high + (nextLow >>> 0 < inFirst ? 1 : 0)) | 0;
    return [
      [first, inFirst],
      [this.translate(nextLow, nextHigh, segment, access), bytes - inFirst],
    ];
  }

  #loadSlow(low: number, high: number, segment: SegmentIndex, bytes: number, access: AccessKind): number {
    if (this.breakpoints) this.#observer.touched(linearAddress(low, high), bytes, false);
    const known = this.#isObserved
      ? this.#observedOffset(access === 'write' ? this.#write : this.#read, low, high, bytes)
      : -1;
    if (known >= 0) {
      this.#requireAligned(low, bytes);
      this.#observer.accessed(this.#physicalOf(known), bytes, false);
      return LOADS[bytes as AccessBytes](this.#view, known);
    }
    const device = this.#deviceAddress(access === 'write' ? this.#write : this.#read, low, high, bytes);
    if (device >= 0) return this.#loadDevice(device, low, bytes as 1 | 2 | 4);
    if (!this.#isObserved && (low & PAGE_MASK) <= FRAME_BYTES - bytes) {
      const physical = this.translate(low, high, segment, access);
      this.#requireAligned(low, bytes); // a page fault comes before
      const offset = this.#isDevice(physical) ? -1 : this.#memory.offsetOf(Math.floor(physical / FRAME_BYTES));
      if (offset >= 0) {
        this.#admit(low, high, physical, access);
        return LOADS[bytes as AccessBytes](this.#view, offset + (low & PAGE_MASK));
      }
    }
    const pieces = this.#pieces(low, high, segment, bytes, access);
    this.#requireAligned(low, bytes);
    const buffer = new Uint8Array(16);
    let done = 0;
    for (const [physical, size] of pieces) {
      if (this.#isDevice(physical)) this.#readDevice(physical, buffer.subarray(done, done + size));
      else buffer.set(this.#memory.readBytes(physical, size), done);
      if (this.#isObserved) this.#observer.accessed(physical, size, false);
      done += size;
    }
    if (pieces.length === 1) this.#admit(low, high, pieces[0]?.[0] ?? 0, access);
    return LOADS[bytes >= 8 ? (bytes as 8 | 16) : 4](new DataView(buffer.buffer), 0);
  }

  #isDevice(physical: number): boolean {
    const frame = Math.floor(physical / FRAME_BYTES);
    return this.#observer.devices.hides(frame) || this.#memory.offsetOf(frame) < 0;
  }

  #readDevice(physical: number, bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (const [at, size] of deviceAccesses(bytes.length))
      DEVICE_VALUES[size].set(view, at, this.#observer.devices.read(physical + at, size));
  }

  #writeDevice(physical: number, bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (const [at, size] of deviceAccesses(bytes.length))
      this.#observer.devices.write(physical + at, DEVICE_VALUES[size].get(view, at), size);
  }

  /** The physical address of an access to a device whose page is known, or -1. */
  #deviceAddress(bank: number, low: number, high: number, bytes: number): number {
    const entry = bank + ((low >>> 12) & 255) * ENTRY_WORDS;
    const words = this.#words;
    const within = low & PAGE_MASK;
    const known = words[entry] === ((low & ~PAGE_MASK) | DEVICE) && words[entry + 1] === high;
    if (!known || bytes > 4 || within > FRAME_BYTES - bytes) return -1;
    const frame = ((words[entry + 3] as number) >>> 0) * 2 ** 32 + ((words[entry + 2] as number) >>> 0);
    return frame * FRAME_BYTES + within;
  }

  #loadDevice(physical: number, low: number, bytes: 1 | 2 | 4): number {
    this.#requireAligned(low, bytes);
    const value = this.#observer.devices.read(physical, bytes);
    if (this.#isObserved) this.#observer.accessed(physical, bytes, false);
    return bytes === 4 ? value | 0 : value;
  }

  #storeDevice(physical: number, low: number, bytes: 1 | 2 | 4, value: number): void {
    this.#requireAligned(low, bytes);
    this.#observer.devices.write(physical, bytes === 4 ? value >>> 0 : value & (2 ** (8 * bytes) - 1), bytes);
    if (this.#memory.isWatched(Math.floor(physical / FRAME_BYTES))) this.#observer.watchedStore(physical, bytes);
    if (this.#isObserved) this.#observer.accessed(physical, bytes, true);
  }

  /** Makes the entry that the next access to the page will hit. */
  #admit(low: number, high: number, physical: number, access: AccessKind): void {
    const frame = Math.floor(physical / FRAME_BYTES);
    const offset = this.#observer.devices.hides(frame) ? -1 : this.#memory.offsetOf(frame);
    const index = ((low >>> 12) & 255) * ENTRY_WORDS;
    if (offset < 0) {
      // RAM that the page of a local APIC hides comes back where another processor has its turn.
      if (this.#memory.offsetOf(frame) >= 0) return;
      this.#enterDevice(this.#read + index, low, high, frame);
      if (access === 'write') this.#enterDevice(this.#write + index, low, high, frame);
      return;
    }
    const tag = this.#isObserved || this.#checksAlignment ? OBSERVED : PLAIN;
    this.#enter(this.#read + index, low, high, offset, tag);
    if (access === 'write' && this.#memory.beginStore(frame)) this.#enter(this.#write + index, low, high, offset, tag);
  }

  /** Byte offset of an observed access within one page whose translation is known, or -1. */
  #observedOffset(bank: number, low: number, high: number, bytes: number): number {
    const entry = bank + ((low >>> 12) & 255) * ENTRY_WORDS;
    const within = low & PAGE_MASK;
    const known = this.#words[entry] === ((low & ~PAGE_MASK) | OBSERVED) && this.#words[entry + 1] === high;
    return known && within <= FRAME_BYTES - bytes ? (this.#words[entry + 2] as number) + within : -1;
  }

  #physicalOf(offset: number): number {
    return this.#memory.frameAt(offset) * FRAME_BYTES + (offset & PAGE_MASK);
  }

  /** A store to RAM within one page that nobody observes; false if it is to something else, and nothing was done. */
  #storeWithin(
    low: number,
    high: number,
    segment: SegmentIndex,
    bytes: AccessBytes,
    valueLow: number,
    valueHigh: number,
  ): boolean {
    const physical = this.translate(low, high, segment, 'write');
    this.#requireAligned(low, bytes); // a page fault comes before
    if (this.#isDevice(physical)) return false;
    const { generation } = this;
    const frame = Math.floor(physical / FRAME_BYTES);
    this.#memory.mark(frame, FRAME_FLAG.dirty);
    STORES[bytes](this.#view, this.#memory.offsetOf(frame) + (low & PAGE_MASK), valueLow, valueHigh);
    this.#memory.noticeStore(physical, bytes);
    if (this.#memory.isWatched(frame)) this.#observer.watchedStore(physical, bytes);
    // A store to the entry that maps its own page makes the translation it used a thing of the past.
    if (generation === this.generation) this.#admit(low, high, physical, 'write');
    return true;
  }

  #storeSlow(
    low: number,
    high: number,
    segment: SegmentIndex,
    bytes: number,
    valueLow: number,
    valueHigh: number,
  ): void {
    if (this.breakpoints) this.#observer.touched(linearAddress(low, high), bytes, true);
    const known = this.#isObserved ? this.#observedOffset(this.#write, low, high, bytes) : -1;
    if (known >= 0) {
      this.#requireAligned(low, bytes);
      STORES[bytes as AccessBytes](this.#view, known, valueLow, valueHigh);
      const physical = this.#physicalOf(known);
      this.#memory.noticeStore(physical, bytes);
      this.#observer.accessed(physical, bytes, true);
      return;
    }
    const device = this.#deviceAddress(this.#write, low, high, bytes);
    if (device >= 0) {
      this.#storeDevice(device, low, bytes as 1 | 2 | 4, valueLow);
      return;
    }
    if (!this.#isObserved && (low & PAGE_MASK) <= FRAME_BYTES - bytes) {
      const isStored = this.#storeWithin(low, high, segment, bytes as AccessBytes, valueLow, valueHigh);
      if (isStored) return;
    }
    const buffer = new Uint8Array(16);
    STORES[bytes >= 8 ? (bytes as 8 | 16) : 4](new DataView(buffer.buffer), 0, valueLow, valueHigh);
    const pieces = this.#pieces(low, high, segment, bytes, 'write');
    this.#requireAligned(low, bytes);
    const { generation } = this;
    let done = 0;
    for (const [physical, size] of pieces) {
      if (this.#isDevice(physical)) this.#writeDevice(physical, buffer.subarray(done, done + size));
      else this.#memory.writeBytes(physical, buffer.subarray(done, done + size));
      if (this.#memory.isWatched(Math.floor(physical / FRAME_BYTES))) this.#observer.watchedStore(physical, size);
      if (this.#isObserved) this.#observer.accessed(physical, size, true);
      done += size;
    }
    // A store to the entry that maps its own page makes the translation it used a thing of the past.
    const isCurrent = generation === this.generation;
    if (pieces.length === 1 && isCurrent) this.#admit(low, high, pieces[0]?.[0] ?? 0, 'write');
  }
}

type AccessBytes = 1 | 2 | 4 | 8 | 16;

/** 16 bytes on their way through the slow path. */
const wideBuffer = new DataView(new ArrayBuffer(16));

/** By bytes; the high half of 8 goes to `wide`, 16 go to the buffer. */
const LOADS = {
  1: (view: DataView, offset: number) => view.getUint8(offset),
  2: (view: DataView, offset: number) => view.getUint16(offset, true),
  4: (view: DataView, offset: number) => view.getInt32(offset, true),
  8: (view: DataView, offset: number) => {
    wide.high = view.getInt32(offset + 4, true);
    return view.getInt32(offset, true);
  },
  16: (view: DataView, offset: number) => {
    for (let byte = 0; byte < 16; byte += 4) wideBuffer.setInt32(byte, view.getInt32(offset + byte, true), true);
    return 0;
  },
} as const;

const STORES = {
  1: (view: DataView, offset: number, low: number) => view.setUint8(offset, low),
  2: (view: DataView, offset: number, low: number) => view.setUint16(offset, low, true),
  4: (view: DataView, offset: number, low: number) => view.setInt32(offset, low, true),
  8: (view: DataView, offset: number, low: number, high: number) => {
    view.setInt32(offset, low, true);
    view.setInt32(offset + 4, high, true);
  },
  16: (view: DataView, offset: number, _low: number, _high: number) => {
    for (let byte = 0; byte < 16; byte += 4) view.setInt32(offset + byte, wideBuffer.getInt32(byte, true), true);
  },
} as const;

const linearAddress = (low: number, high: number): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);

const DEVICE_VALUES = {
  1: {
    get: (view: DataView, at: number) => view.getUint8(at),
    set: (view: DataView, at: number, value: number) => view.setUint8(at, value),
  },
  2: {
    get: (view: DataView, at: number) => view.getUint16(at, true),
    set: (view: DataView, at: number, value: number) => view.setUint16(at, value, true),
  },
  4: {
    get: (view: DataView, at: number) => view.getUint32(at, true),
    set: (view: DataView, at: number, value: number) => view.setUint32(at, value, true),
  },
} as const;

/** The accesses that a device sees of one of some bytes: 8 are two of 4, and the parts of a split access are bytes. */
function deviceAccesses(bytes: number): readonly (readonly [at: number, bytes: 1 | 2 | 4])[] {
  if (bytes === 1 || bytes === 2 || bytes === 4) return [[0, bytes]];
  if (bytes % 4 === 0) return Array.from({ length: bytes / 4 }, (_, index) => [index * 4, 4] as const);
  return Array.from({ length: bytes }, (_, index) => [index, 1] as const);
}
