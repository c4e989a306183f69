// Decides what is compiled, and when generated code may run: counts how often blocks are executed, forms regions around the
// hot ones, and enters them where the machine is in a state that generated code was made for.
import type { Block, ModeKey } from '../execute/block.js';
import { effectOf } from '../execute/block-builder.js';
import type { CodeWidth } from '../execute/decode.js';
import { slotOf } from '../register/register-file.js';
import type { MachineDraft } from '../state/draft.js';
import { FRAME_BYTES } from '../state/workbench.js';
import { CompiledCode, type CompiledRegion, type ReferencePath } from './compiled-code.js';
import { type FoundBlock, formRegion } from './region.js';

/** What the runner tells of the mode that the processor is in. */
export interface CodeMode {
  readonly key: ModeKey;
  readonly codeWidth: CodeWidth;
  readonly stackWidth: CodeWidth;
  readonly user: boolean;
}

/** Finds a decoded block by frame, offset and mode. */
type FindBlock = (frame: number, offset: number, mode: ModeKey) => Block | undefined;

/** A block that was found to be no part of a region. */
const NEVER = Number.NEGATIVE_INFINITY;
const GENERAL_REGISTERS = 8;
/** Bits of the attributes that decide whether a segment is plain data, and what they are for one that may be written. */
const [PLAIN_DATA, WRITABLE_DATA] = [0x1_001e, 0x12];
const WHOLE = -1;

/** The compiler of one draft. */
export class Compiler {
  readonly #draft: MachineDraft;
  readonly #find: FindBlock;
  readonly #threshold: number;
  readonly #compiled: CompiledCode;

  constructor(draft: MachineDraft, threshold: number, find: FindBlock, reference: ReferencePath) {
    this.#draft = draft;
    this.#threshold = threshold;
    this.#find = find;
    this.#compiled = new CompiledCode(draft.bench, reference);
  }

  /** Whether generated code begins at the block, and may run now. The block is about to be executed. */
  isReady(block: Block, mode: CodeMode): boolean {
    const region = this.#compiled.regionOf(block);
    if (region === undefined && ++block.heat <= this.#threshold) return false;
    if (!this.#mayRun(mode)) return false;
    const ready = region ?? this.#compile(block, mode);
    if (ready === undefined) return false;
    this.#compiled.enter(ready, this.#draft.tlb.generation, mode.key);
    return true;
  }

  /** Accesses that somebody observes take the reference path; outside 64-bit mode segments have to be flat. */
  #mayRun({ codeWidth }: CodeMode): boolean {
    if (this.#draft.tlb.observed || codeWidth === 16) return false;
    return codeWidth === 64 || (this.#isFlat() && this.#isNarrow());
  }

  #isFlat(): boolean {
    const { words } = this.#draft.bench;
    return FLAT_SEGMENTS.every(({ word, attributes }) => {
      const isWhole = words[word + 2] === 0 && words[word + 4] === WHOLE;
      return isWhole && (attributes === undefined || ((words[word + 6] as number) & PLAIN_DATA) === attributes);
    });
  }

  /** No register has a bit above 31. */
  #isNarrow(): boolean {
    const { words } = this.#draft.bench;
    let bits = 0;
    for (let register = 0; register < GENERAL_REGISTERS; register++) bits |= words[register * 2 + 1] as number;
    return bits === 0;
  }

  #compile(entry: Block, mode: CodeMode): CompiledRegion | undefined {
    const { low, high } = entry;
    const rip = (BigInt((high[0] as number) >>> 0) << 32n) | BigInt((low[0] as number) >>> 0);
    entry.heat = 0; // it is tried again, unless it never can be
    if (this.#blockAt(rip, mode)?.block !== entry) return undefined; // its page is not in the TLB at the moment
    const region = formRegion(
      rip,
      (at) => this.#blockAt(at, mode),
      (decoded) => effectOf(this.#draft, decoded, mode.stackWidth),
      mode.codeWidth === 64,
    );
    if (region === undefined) {
      entry.heat = NEVER;
      return undefined;
    }
    return this.#compiled.compile(region, { mode64: mode.codeWidth === 64, user: mode.user });
  }

  #blockAt(rip: bigint, { key, user }: CodeMode): FoundBlock | undefined {
    const [low, high] = [Number(BigInt.asIntN(32, rip)), Number(BigInt.asIntN(32, rip >> 32n))];
    const { tlb, memory } = this.#draft;
    const offset = tlb.knownFetchOffset(low, high);
    const frame = memory.frameAt(offset);
    const block = frame < 0 ? undefined : this.#find(frame, offset % FRAME_BYTES, key);
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
  run(left: number, mode: ModeKey): number {
    return this.#compiled.run(left, mode);
  }

  /** The bytes of a frame changed. */
  drop(frame: number): void {
    this.#compiled.drop(frame);
  }

  /** Another state was loaded. */
  clear(): void {
    this.#compiled.clear();
  }
}

const FLAT_SEGMENTS = [
  ...(['ES', 'SS', 'DS'] as const).map((name) => ({ name, attributes: WRITABLE_DATA })),
  { name: 'CS' as const, attributes: undefined },
].map(({ name, attributes }) => ({ word: slotOf(`${name}.selector`) * 2, attributes }));

/** A linear page as seen from a privilege level. */
const pageOf = (low: number, high: number, user: boolean): string =>
  `${(high >>> 0) * 2 ** 20 + (low >>> 12)}${user ? 'u' : 's'}`;
