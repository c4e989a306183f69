// The compiled regions of one draft: made when a block is hot, found by their entry, dropped when the bytes that they were
// made from change. Nothing here is state of the machine: dropping everything at any time changes no result.
import type { Block } from '../execute/block.js';
import { TARGETS_OFFSET, VALID_PAGES_OFFSET, type Workbench } from '../state/workbench.js';
import { dispatcherCode, TARGETS, targetAddress } from './dispatcher.js';
import { RIP_ADDRESS } from './layout.js';
import type { Region, RegionBlock } from './region.js';
import { type RegionMode, regionCode } from './region-code.js';
import { type FunctionType, moduleBytes } from './wasm/module.js';

/** An instruction that the reference path may be asked to execute. */
export interface Site {
  readonly block: Block;
  readonly index: number;
}

/**
 * Executes an instruction on the reference path, with `left` steps to do before it. Returns not 0 if generated code has to
 * be left. `settled`: flags must be in RFLAGS afterwards.
 */
export type ReferencePath = (site: Site, left: number, settled: boolean) => number;

/** Bytes that a region was made from. */
interface RegionPart {
  readonly block: Block;
  readonly rip: bigint;
  readonly frame: number;
  readonly page: number;
  readonly bytes: Uint8Array;
}

/** A compiled region. */
export interface CompiledRegion {
  readonly entry: Block;
  readonly number: number;
  readonly sites: readonly number[];
  readonly parts: readonly RegionPart[];
  /** Its bytes are those that it was made from, as far as anybody knows. */
  isActive: boolean;
  /** The generation of the TLB in which it was last found not to be so. */
  triedIn: number | undefined;
}

type RegionFunction = (left: number) => number;
type Dispatcher = (left: number) => number;

const TYPES: readonly FunctionType[] = [
  { parameters: ['i32'], results: ['i32'] },
  { parameters: ['i32', 'i32'], results: ['i32'] },
];
const [REGION_TYPE, PAIR_TYPE] = [0, 1];
/** Regions at the most; with one more all are dropped. */
const MOST_REGIONS = 2048;
const VALID_PAGES = 4096;

/** The regions of one draft. */
export class CompiledCode {
  readonly #bench: Workbench;
  readonly #table = new WebAssembly.Table({ element: 'anyfunc', initial: MOST_REGIONS });
  readonly #imports: WebAssembly.Imports;
  readonly #dispatch: Dispatcher;
  readonly #regions = new Map<Block, CompiledRegion>();
  /** Active regions by the frames that they were made from. */
  readonly #byFrame = new Map<number, Set<CompiledRegion>>();
  #freeNumbers: number[] = [];
  #sites: (Site | undefined)[] = [];
  #freeSites: number[] = [];
  readonly #pages = new Map<string, number>();
  /** Counts how often everything was dropped: numbers of pages from before mean nothing. */
  epoch = 0;

  /** @throws WebAssembly.CompileError where code generation is not allowed */
  constructor(bench: Workbench, reference: ReferencePath) {
    this.#bench = bench;
    const call = (site: number, left: number, settled: boolean): number =>
      reference(this.#sites[site] as Site, left, settled);
    const { memory } = bench;
    this.#imports = {
      machine: {
        memory,
        table: this.#table,
        plain: (site: number, left: number) => call(site, left, false),
        settled: (site: number, left: number) => call(site, left, true),
      },
    };
    const bytes = moduleBytes({
      types: TYPES,
      imports: [
        { name: 'memory', kind: 'memory', pages: this.#wasmPages },
        { name: 'table', kind: 'table' },
      ],
      functions: [{ name: 'run', type: REGION_TYPE, code: dispatcherCode(REGION_TYPE) }],
    });
    this.#dispatch = this.#instance(bytes)['run'] as Dispatcher;
    this.clear();
  }

  get #wasmPages(): number {
    return this.#bench.memory.buffer.byteLength / 0x1_0000;
  }

  #instance(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Exports {
    return new WebAssembly.Instance(new WebAssembly.Module(bytes), this.#imports).exports;
  }

  /** Drops everything. */
  clear(): void {
    this.epoch++;
    this.#regions.clear();
    this.#byFrame.clear();
    this.#freeNumbers = Array.from({ length: MOST_REGIONS }, (_, index) => MOST_REGIONS - 1 - index);
    this.#sites = [];
    this.#freeSites = [];
    this.#pages.clear();
    this.forgetTargets();
    for (let number = 0; number < MOST_REGIONS; number++) this.#table.set(number, null);
  }

  /** Forgets which region is where; they are found again one by one. */
  forgetTargets(): void {
    const first = TARGETS_OFFSET / 4;
    // Not 0: a key of 0 with RIP 0 would be found.
    this.#bench.words.fill(-1, first, first + (TARGETS.entries * TARGETS.entryBytes) / 4);
  }

  /** The region that a block begins. */
  regionOf(block: Block): CompiledRegion | undefined {
    return this.#regions.get(block);
  }

  /** The active regions that a block is part of, with the one that it begins first. */
  regionsOf(block: Block): readonly CompiledRegion[] {
    const regions = [...this.#regions.values()].filter(({ isActive, parts }) => {
      return isActive && parts.some((part) => part.block === block);
    });
    return regions.sort((one, other) => Number(other.entry === block) - Number(one.entry === block));
  }

  /** Makes a region to be found at the RIP of its entry, in a generation of the TLB and a mode. */
  enter(region: CompiledRegion, generation: number, mode: number): void {
    const { low, high } = region.entry;
    const { words } = this.#bench;
    const word = targetAddress(low[0] as number) / 4;
    words[word + TARGETS.rip / 4] = low[0] as number;
    words[word + TARGETS.rip / 4 + 1] = high[0] as number;
    words[word + TARGETS.key / 4] = (generation << TARGETS.modeBits) | mode;
    words[word + TARGETS.region / 4] = region.number;
  }

  /** Whether a region was made to be found at RIP, as the dispatcher will look for it. */
  isEntered(generation: number, mode: number): boolean {
    const { words } = this.#bench;
    const low = words[RIP_ADDRESS / 4] as number;
    const word = targetAddress(low) / 4;
    return (
      words[word + TARGETS.rip / 4] === low &&
      words[word + TARGETS.rip / 4 + 1] === words[RIP_ADDRESS / 4 + 1] &&
      words[word + TARGETS.key / 4] === ((generation << TARGETS.modeBits) | mode)
    );
  }

  /** Runs regions from RIP on, up to `left` steps. Returns the steps that are left. */
  run(left: number): number {
    return this.#dispatch(left);
  }

  /** The number of a page that maps a frame for a privilege level. */
  pageNumber(linearPage: string, frame: number): number {
    const key = `${linearPage}:${frame}`;
    const known = this.#pages.get(key);
    if (known !== undefined) return known;
    const number = this.#pages.size;
    if (number >= VALID_PAGES) {
      this.clear();
      return this.pageNumber(linearPage, frame);
    }
    this.#pages.set(key, number);
    return number;
  }

  /** The page is mapped to the frame in this generation. */
  pageIsValid(linearPage: string, frame: number, generation: number): void {
    const number = this.#pages.get(`${linearPage}:${frame}`);
    if (number !== undefined) this.#bench.words[VALID_PAGES_OFFSET / 4 + number] = generation;
  }

  /** Compiles a region. */
  compile(region: Region, mode: RegionMode): CompiledRegion {
    if (this.#freeNumbers.length === 0) this.clear();
    const sites: number[] = [];
    const code = regionCode(region, mode, ({ block }: RegionBlock, index) => {
      const site = this.#freeSites.pop() ?? this.#sites.length;
      this.#sites[site] = { block, index };
      sites.push(site);
      return site;
    });
    const bytes = moduleBytes({
      types: TYPES,
      imports: [
        { name: 'memory', kind: 'memory', pages: this.#wasmPages },
        { name: 'plain', kind: 'function', type: PAIR_TYPE },
        { name: 'settled', kind: 'function', type: PAIR_TYPE },
      ],
      functions: [{ name: 'region', type: REGION_TYPE, code }],
    });
    const number = this.#freeNumbers.pop() as number;
    this.#table.set(number, this.#instance(bytes)['region'] as RegionFunction);
    const parts = region.blocks.map(({ rip, frame, page, block }) => ({ block, rip, frame, page, bytes: block.bytes }));
    const [entry] = region.blocks as readonly [RegionBlock];
    const compiled: CompiledRegion = { entry: entry.block, number, sites, parts, isActive: true, triedIn: undefined };
    this.#regions.set(entry.block, compiled);
    this.activate(compiled);
    return compiled;
  }

  /** The bytes of a region are there: it may run until they are written. */
  activate(region: CompiledRegion): void {
    region.isActive = true;
    region.triedIn = undefined;
    for (const { frame } of region.parts) {
      const regions = this.#byFrame.get(frame) ?? new Set();
      regions.add(region);
      this.#byFrame.set(frame, regions);
    }
  }

  /** Bytes of a frame changed. The caller advances the generation, so that no target leads to a region that is retired. */
  written(frame: number, offset: number, length: number): void {
    const touches = (part: RegionPart): boolean => {
      const start = Number(part.rip & OFFSET_MASK);
      return part.frame === frame && start < offset + length && offset < start + part.bytes.length;
    };
    for (const region of this.#byFrame.get(frame) ?? []) if (region.parts.some(touches)) this.#deactivate(region);
  }

  #deactivate(region: CompiledRegion): void {
    region.isActive = false;
    for (const { frame } of region.parts) this.#byFrame.get(frame)?.delete(region);
  }

  /** All regions wait until their bytes are seen to be there. */
  retire(): void {
    for (const region of this.#regions.values()) region.isActive = false;
    this.#byFrame.clear();
    this.forgetTargets();
  }
}

const OFFSET_MASK = 0xfffn;
