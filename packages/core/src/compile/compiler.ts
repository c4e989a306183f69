// Decides what is compiled, and when generated code may run: counts how often blocks are executed, forms regions around the
// hot ones, and enters them where the machine is in a state that generated code was made for.
import type { Block, ModeKey } from '../execute/block.js';
import { formOf } from '../execute/block-builder.js';
import type { CachedBlock } from '../execute/block-cache.js';
import type { CodeMode } from '../execute/code-mode.js';
import { slotOf } from '../register/register-file.js';
import type { MachineDraft } from '../state/draft.js';
import { FRAME_BYTES } from '../state/workbench.js';
import { CompiledCode, type CompiledRegion, type ReferencePath } from './compiled-code.js';
import { type CompiledListing, listBlock } from './listing.js';
import { findListing } from './listing-search.js';
import { type FoundBlock, formRegion, ripAt } from './region.js';

/** What the compiler asks of the reference path. */
export interface ReferenceCode {
  /** A decoded block by frame, offset and mode. */
  readonly known: (frame: number, offset: number, mode: ModeKey) => Block | undefined;
  /** Bytes of a frame are compiled: `written` is called when they change. */
  readonly cover: (frame: number, offset: number, length: number) => void;
  readonly execute: ReferencePath;
  /** All decoded blocks. */
  readonly all: () => Iterable<CachedBlock>;
}

/** A block that was found to be no part of a region. */
const NEVER = Number.NEGATIVE_INFINITY;
const GENERAL_REGISTERS = 8;
/** Bits of the attributes that decide whether a segment is plain data, and what they are for one that may be written. */
const [PLAIN_DATA, WRITABLE_DATA] = [0x1_001e, 0x12];
const WHOLE = -1;

/** The compiler of one draft. */
export class Compiler {
  readonly #draft: MachineDraft;
  readonly #reference: ReferenceCode;
  readonly #threshold: number;
  readonly #compiled: CompiledCode;

  constructor(draft: MachineDraft, threshold: number, reference: ReferenceCode) {
    this.#draft = draft;
    this.#threshold = threshold;
    this.#reference = reference;
    this.#compiled = new CompiledCode(draft.bench, reference.execute);
  }

  /** Whether generated code begins at the block, and may run now. The block is about to be executed. */
  isReady(block: Block, mode: CodeMode): boolean {
    const region = this.#compiled.regionOf(block);
    if (region === undefined && ++block.heat <= this.#threshold) return false;
    if (!this.mayRun(mode)) return false;
    const ready = region === undefined ? this.#compile(block, mode) : this.#revived(region, mode);
    if (ready === undefined) return false;
    this.#compiled.enter(ready, this.#draft.tlb.generation, mode.key);
    return true;
  }

  /** Whether the region at RIP may run, as was found before: blocks need not be looked for. */
  isEntered(mode: CodeMode): boolean {
    return this.#compiled.isEntered(this.#draft.tlb.generation, mode.key) && this.mayRun(mode);
  }

  /** Accesses that somebody wants to hear of at once take the reference path; outside 64-bit mode segments have to be flat. */
  mayRun({ codeWidth }: CodeMode): boolean {
    if (this.#draft.tlb.takesEach || codeWidth === 16) return false;
    return codeWidth === 64 || (this.#isFlat() && this.#isNarrow());
  }

  /** Without a loop: asked after each instruction in the function form. */
  #isFlat(): boolean {
    const { words } = this.#draft.bench;
    const bases =
      (words[CS + BASE] as number) |
      (words[SS + BASE] as number) |
      (words[DS + BASE] as number) |
      (words[ES + BASE] as number);
    const limits =
      (words[CS + LIMIT] as number) &
      (words[SS + LIMIT] as number) &
      (words[DS + LIMIT] as number) &
      (words[ES + LIMIT] as number);
    return (
      bases === 0 &&
      limits === WHOLE &&
      isWritableData(words[SS + ATTRIBUTES] as number) &&
      isWritableData(words[DS + ATTRIBUTES] as number) &&
      isWritableData(words[ES + ATTRIBUTES] as number)
    );
  }

  /** No register has a bit above 31. */
  #isNarrow(): boolean {
    const { words } = this.#draft.bench;
    let bits = 0;
    for (let word = 1; word < GENERAL_REGISTERS * 2; word += 2) bits |= words[word] as number;
    return bits === 0;
  }

  /** A region that was retired, if all its bytes are back where they were. Otherwise its block stays on the reference path. */
  #revived(region: CompiledRegion, { user }: CodeMode): CompiledRegion | undefined {
    const { tlb, memory, bench } = this.#draft;
    const { generation } = tlb;
    if (region.isActive) return region;
    if (region.triedIn === generation) return undefined;
    region.triedIn = generation;
    for (const { rip, frame, page, bytes } of region.parts) {
      const [low, high] = halvesOf(rip);
      const offset = tlb.knownFetchOffset(low, high);
      const isThere = memory.frameAt(offset) === frame && memory.isCode(frame);
      if (!isThere || this.#compiled.pageNumber(pageOf(low, high, user), frame) !== page) return undefined;
      if (!bytes.every((byte, index) => byte === bench.bytes[offset + index])) return undefined;
    }
    for (const { rip, frame, bytes } of region.parts) {
      const [low, high] = halvesOf(rip);
      this.#reference.cover(frame, low & (FRAME_BYTES - 1), bytes.length);
      this.#compiled.pageIsValid(pageOf(low, high, user), frame, generation);
    }
    this.#compiled.activate(region);
    return region;
  }

  #compile(entry: Block, mode: CodeMode): CompiledRegion | undefined {
    const rip = ripAt(entry, 0);
    entry.heat = 0; // it is tried again, unless it never can be
    if (this.#blockAt(rip, mode)?.block !== entry) return undefined; // its page is not in the TLB at the moment
    const { epoch } = this.#compiled;
    const region = formRegion(
      rip,
      (at) => this.#blockAt(at, mode),
      (decoded) => formOf(this.#draft, decoded, mode.stackWidth),
      mode.codeWidth === 64,
    );
    if (region === undefined) {
      entry.heat = NEVER;
      return undefined;
    }
    if (this.#compiled.epoch !== epoch) return undefined; // there were too many pages: the next attempt begins anew
    return this.#compiled.compile(region, {
      mode64: mode.codeWidth === 64,
      user: mode.user,
      observed: this.#draft.accesses !== undefined,
    });
  }

  #blockAt(rip: bigint, { key, user }: CodeMode): FoundBlock | undefined {
    const [low, high] = halvesOf(rip);
    const { tlb, memory } = this.#draft;
    const offset = tlb.knownFetchOffset(low, high);
    const frame = memory.frameAt(offset);
    const block = frame < 0 ? undefined : this.#reference.known(frame, offset % FRAME_BYTES, key);
    if (block === undefined || block.low[0] !== low || block.high[0] !== high) return undefined;
    const page = this.#compiled.pageNumber(pageOf(low, high, user), frame);
    this.#compiled.pageIsValid(pageOf(low, high, user), frame, tlb.generation);
    return { block, frame, page };
  }

  /** An instruction was fetched: its page is mapped to the frame. */
  fetched(low: number, high: number, frame: number, user: boolean): void {
    // That code lies on it may have emptied the TLB just now; regions are made of pages that the TLB knows.
    if (this.#draft.tlb.knownFetchOffset(low, high) < 0) this.#draft.tlb.fetchOffset(low, high);
    this.#compiled.pageIsValid(pageOf(low, high, user), frame, this.#draft.tlb.generation);
  }

  /** Runs from RIP on, where `isReady` said so. Returns the steps that are left. */
  run(left: number): number {
    return this.#compiled.run(left);
  }

  /** Bytes of a frame changed. */
  written(frame: number, offset: number, length: number): void {
    this.#compiled.written(frame, offset, length);
  }

  /** The block at an address. @throws UsageError CODE_NEVER_EXECUTED, CODE_NEVER_COMPILED */
  list(rip: bigint): CompiledListing {
    const { listed, isCompiled } = findListing(rip, {
      observed: this.#draft.accesses !== undefined,
      blocks: this.#reference.all(),
      regionsOf: (block) => this.#compiled.regionsOf(block),
      formOf: (decoded, { stackWidth }) => formOf(this.#draft, decoded, stackWidth),
    });
    return { ...listBlock(listed), isCompiled, threshold: this.#threshold };
  }

  /** Another state was loaded: regions wait until their bytes are seen to be there. */
  retire(): void {
    this.#compiled.retire();
  }
}

const halvesOf = (rip: bigint): readonly [low: number, high: number] => [
  Number(BigInt.asIntN(32, rip)),
  Number(BigInt.asIntN(32, rip >> 32n)),
];

/** Where the segments begin in the register window, and their parts from there. */
const [CS, SS] = [slotOf('CS.selector') * 2, slotOf('SS.selector') * 2];
const [DS, ES] = [slotOf('DS.selector') * 2, slotOf('ES.selector') * 2];
const [BASE, LIMIT, ATTRIBUTES] = [2, 4, 6];
const isWritableData = (attributes: number): boolean => (attributes & PLAIN_DATA) === WRITABLE_DATA;

/** A linear page as seen from a privilege level. */
const pageOf = (low: number, high: number, user: boolean): string =>
  `${(high >>> 0) * 2 ** 20 + (low >>> 12)}${user ? 'u' : 's'}`;
