// A TLB that keeps translations until software invalidates them, as a processor may (SDM, "Operations that Invalidate TLBs
// and Paging-Structure Caches"): who forgot INVLPG after changing an entry goes on with the old translation, and a hazard
// names the page, the entry and the position of the change.
//
// It has 256 entries for all kinds of access. The page number plus 37 times the PCID, modulo 256, finds one; for a global
// translation the PCID is taken for 0. A new translation replaces what was there. A page larger than 4 KBytes takes an entry for each 4 KBytes that are used. Entries carry
// the PCID under which they were made; global ones (CR4.PGE and G) are found under each. A guest's carry its VPID or ASID and
// the root of its second level too: they lead from linear to physical addresses, and entries of both levels may change. All of
// it is a slice of each processor: in the state, its digest and traces. Left out: paging-structure caches, which could keep an
// upper entry longer than the translations made of it, and guest-physical translations, which could serve a linear address for
// the first time, or a guest without paging. Changes of tables by stores of instructions are noticed; those by a debugger are
// used as stale as others, and no hazard is reported.
import { sdm } from '../manual/sdm.js';
import { definePlugin, type Plugin, type View } from '../plugin/define.js';
import { defineSlice } from '../plugin/slice.js';
import { defineHazards } from '../rule/hazard.js';
import type { Cpu } from '../state/cpu.js';
import type { MachineState } from '../state/machine.js';
import { FRAME_BYTES } from '../state/workbench.js';
import type { PagingEntry } from './paging.js';
import {
  type BufferedTranslation,
  currentPcid,
  currentTag,
  type Invalidation,
  type KeptTranslation,
  type TranslationBuffer,
} from './translation-buffer.js';

const NAME = 'stale-tlb';
const ENTRIES = 256;
/** Of an entry: P, R/W, U/S, PS or PAT, G, the address, the protection key, XD. Changes of other bits change nothing here. */
const RELEVANT = 0xf80f_ffff_ffff_f187n;
/** Of one of the second level: all but the accessed and dirty flags, which are in other places for the two vendors. */
const RELEVANT_IN_SECOND_LEVEL = ~0x360n;

/** A paging-structure entry that a translation was made of. */
interface UsedEntry {
  readonly address: number;
  readonly value: bigint;
}

/** That an entry has another value now than the translation. */
interface Change extends UsedEntry {
  /** Index into `entries`. */
  readonly index: number;
  readonly position: number;
  readonly processor: number;
}

interface TlbEntry extends Omit<BufferedTranslation, 'entries' | 'secondLevelEntries'> {
  readonly page: number;
  readonly pcid: number;
  readonly space: number;
  readonly tables: number;
  /** Of an entry of the tables: 4 in 32-bit paging, else 8. */
  readonly entryBytes: 4 | 8;
  /** From the root down; then those of the second level. */
  readonly entries: readonly UsedEntry[];
  readonly firstLevelEntries: number;
  readonly change: Change | null;
  readonly reported: boolean;
}

interface TlbState {
  readonly entries: readonly (TlbEntry | null)[];
}

/** What version 1 had nothing else than. */
const OF_HOST = { space: 0, tables: 0, kinds: 7, firstLevelEntries: Number.MAX_SAFE_INTEGER } as const;

const tlb = defineSlice<TlbState>(NAME, {
  version: 2,
  initial: () => ({ entries: Array.from({ length: ENTRIES }, () => null) }),
  migrate: {
    1: (older) => ({ entries: (older as TlbState).entries.map((entry) => entry && { ...OF_HOST, ...entry }) }),
  },
});

const PCID_STRIDE = 37;
const SPACE_STRIDE = 101;
function indexOf({ page, pcid, global, space }: Pick<TlbEntry, 'page' | 'pcid' | 'global' | 'space'>): number {
  const index = page + (global ? 0 : pcid * PCID_STRIDE) + space * SPACE_STRIDE;
  return ((index % ENTRIES) + ENTRIES) % ENTRIES;
}
const framesOf = ({ entries }: TlbEntry): readonly number[] =>
  entries.map(({ address }) => Math.floor(address / FRAME_BYTES));

/** Replaces an entry and watches the tables that the new one was made of. */
function put(cpu: Cpu, index: number, entry: TlbEntry | null): void {
  const before = tlb.of(cpu).entries[index];
  for (const frame of entry === null ? [] : framesOf(entry)) cpu.memory.watch(frame);
  for (const frame of before ? framesOf(before) : []) cpu.memory.unwatch(frame);
  tlb.change(cpu, (slice) => {
    slice.entries[index] = entry as (typeof slice.entries)[number];
  });
}

function entryAt(cpu: Cpu, page: number): TlbEntry | undefined {
  const { entries } = tlb.of(cpu);
  const pcid = currentPcid(cpu);
  const { space, tables } = currentTag(cpu);
  const isOf = (entry: TlbEntry) => entry.page === page && entry.space === space && entry.tables === tables;
  const own = entries[indexOf({ page, pcid, global: false, space })];
  if (own && isOf(own) && own.pcid === pcid && !own.global) return own;
  const global = entries[indexOf({ page, pcid, global: true, space })];
  return global && isOf(global) && global.global ? global : undefined;
}

function find(cpu: Cpu, page: number): KeptTranslation | undefined {
  const entry = entryAt(cpu, page);
  if (entry === undefined) return undefined;
  const { base, shift, rights, executeDisabled, protectionKey, global, dirty, kinds } = entry;
  const shown = { base, shift, rights, executeDisabled, protectionKey, global, dirty, kinds };
  return {
    translation: { ...shown, entries: [], secondLevelEntries: [] },
    suspect: entry.change !== null && !entry.reported,
  };
}

const usedEntry = ({ address, low, high }: PagingEntry): UsedEntry => ({
  address,
  value: (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0),
});

function fill(cpu: Cpu, page: number, found: BufferedTranslation): number | undefined {
  const { entries, secondLevelEntries, ...translation } = found;
  const tag = { page, pcid: currentPcid(cpu), global: translation.global && cpu.CR4.PGE, ...currentTag(cpu) };
  const index = indexOf(tag);
  const displaced = tlb.of(cpu).entries[index]?.page;
  put(cpu, index, {
    ...translation,
    ...tag,
    entryBytes: cpu.CR4.PAE ? 8 : 4,
    entries: [...entries, ...secondLevelEntries].map(usedEntry),
    firstLevelEntries: entries.length,
    change: null,
    reported: false,
  });
  return displaced;
}

function drop(cpu: Cpu, page: number): void {
  const entry = entryAt(cpu, page);
  if (entry !== undefined) put(cpu, indexOf(entry), null);
}

function invalidate(cpu: Cpu, what: Invalidation): void {
  const { space } = currentTag(cpu);
  for (const [index, entry] of tlb.of(cpu).entries.entries())
    if (entry !== null && isConcerned(entry, { space, ...what })) put(cpu, index, null);
}

function isConcerned({ page, shift, global, pcid, space, tables }: TlbEntry, what: Invalidation): boolean {
  if (what.tables !== undefined) return what.tables === 'any' ? tables !== 0 : tables === what.tables;
  if (what.space === 'guests' ? space === 0 : space !== what.space) return false;
  if (global ? !what.globals : what.pcid !== undefined && what.pcid !== pcid) return false;
  if (what.address === undefined) return true;
  const pieces = 2 ** (shift - 12);
  const wanted = Number(BigInt.asIntN(64, what.address) >> 12n);
  return Math.floor(page / pieces) === Math.floor(wanted / pieces);
}

const isFirstLevel = ({ firstLevelEntries }: TlbEntry, index: number): boolean => index < firstLevelEntries;
const bytesOf = (entry: TlbEntry, index: number): 4 | 8 => (isFirstLevel(entry, index) ? entry.entryBytes : 8);

/** A store to a table: which translations of which processors are no longer what the tables say? */
function tableWritten(writer: Cpu, physical: number, bytes: number): void {
  const { draft } = writer;
  for (let id = 0; id < draft.processorCount; id++) {
    const cpu = draft.cpu(id);
    for (const [index, entry] of tlb.of(cpu).entries.entries()) {
      if (entry === null) continue;
      const isTouched = ({ address }: UsedEntry, at: number) =>
        address < physical + bytes && physical < address + bytesOf(entry, at);
      if (entry.entries.some(isTouched)) noteChange(cpu, index, entry, writer);
    }
  }
}

function noteChange(cpu: Cpu, index: number, entry: TlbEntry, writer: Cpu): void {
  const change = changeOf(entry, writer);
  if ((change === null) === (entry.change === null)) return; // the first change is the one to name
  tlb.change(cpu, (slice) => {
    slice.entries[index] = { ...entry, change } as (typeof slice.entries)[number];
  });
  writer.draft.tlb.flush(); // the next use must come here, that of the code itself too
  writer.draft.translationDisplaced();
}

function changeOf(entry: TlbEntry, writer: Cpu): Change | null {
  for (const [index, { address, value }] of entry.entries.entries()) {
    const now = writer.draft.memory.read(address, bytesOf(entry, index));
    const relevant = isFirstLevel(entry, index) ? RELEVANT : RELEVANT_IN_SECOND_LEVEL;
    if (((now ^ value) & relevant) !== 0n)
      return { index, address, value: now, position: writer.position, processor: writer.id };
  }
  return null;
}

const LEVELS = ['PTE', 'PDE', 'PDPTE', 'PML4E', 'PML5E'] as const;
/** How many levels lie below the entry that maps a page: none for 4 KBytes, one for 2 and 4 MBytes, two for 1 GByte. */
const levelsBelow = (shift: number): number => (shift === 12 ? 0 : shift === 30 ? 2 : 1);
const hex = (value: bigint | number): string => `0x${value.toString(16)}`;
const addressOf = (page: number): string => hex(BigInt.asUintN(64, BigInt(page) << 12n));

function stale(cpu: Cpu, page: number): void {
  const entry = entryAt(cpu, page);
  if (entry === undefined || entry.change === null) return;
  const { entries, shift, change } = entry;
  const walked = Math.min(entry.firstLevelEntries, entries.length);
  const isOwn = change.index < walked;
  const level = isOwn ? LEVELS[levelsBelow(shift) + walked - 1 - change.index] : 'entry of the second level';
  cpu.hazard('core.tlb.stale-translation', {
    page: addressOf(page),
    entry: `${level} at ${hex(change.address)}`,
    used: hex(entries[change.index]?.value ?? 0n),
    now: hex(change.value),
    changedAt: change.position,
    changedBy: change.processor,
  });
  tlb.change(cpu, (slice) => {
    slice.entries[indexOf(entry)] = { ...entry, reported: true } as (typeof slice.entries)[number];
  });
}

const stateOf = (processor: MachineState['processors'][number]): TlbState => processor.plugins[NAME] as TlbState;
const keptIn = (processor: MachineState['processors'][number]): readonly TlbEntry[] =>
  stateOf(processor).entries.filter((entry) => entry !== null);

function viewOf(state: MachineState): readonly View[] {
  return state.processors.map((processor) => ({
    title: `TLB of processor ${processor.id}`,
    columns: ['page', 'physical', 'size', 'rights', 'key', 'PCID', 'changed at'],
    rows: keptIn(processor).map((entry) => [
      addressOf(entry.page),
      hex(physicalOf(entry)),
      hex(2 ** entry.shift),
      rightsText(entry),
      entry.protectionKey,
      contextText(entry),
      entry.change?.position ?? '',
    ]),
  }));
}

/** Of a guest's larger page only the piece is known. */
function physicalOf({ base, page, shift, tables }: TlbEntry): number {
  return tables === 0 ? base : base + Number(BigInt.asUintN(shift - 12, BigInt(page))) * FRAME_BYTES;
}

function contextText({ global, pcid, space, tables }: TlbEntry): string | number {
  const context = global ? 'global' : pcid;
  return space === 0 && tables === 0 ? context : `${context}, guest ${space}`;
}

function rightsText({ rights, executeDisabled, dirty }: TlbEntry): string {
  return [rights & 2 ? 'W' : '-', rights & 4 ? 'U' : '-', executeDisabled ? '-' : 'X', dirty ? 'D' : '-'].join('');
}

const buffer: TranslationBuffer = {
  find,
  fill,
  invalidate,
  stale,
  drop,
};

/**
 * Translations live until they are invalidated: makes software visible that forgets to.
 * @example createMachine({ profile: 'intel-server', plugins: [staleTlb] });
 */
export const staleTlb: Plugin = definePlugin({
  name: NAME,
  version: '1.0.0',
  apiVersion: 1,
  processorSlice: tlb,
  translations: buffer,
  intercepts: { watchedStore: (cpu, { physical, bytes }) => tableWritten(cpu, physical, bytes) },
  watchedFrames: (state) => state.processors.flatMap((processor) => keptIn(processor).flatMap(framesOf)),
  hazards: defineHazards(sdm('Operations that Invalidate TLBs and Paging-Structure Caches'), [
    {
      id: 'core.tlb.stale-translation',
      explain:
        'A translation was used that the paging structures do not give any more: after changing an entry execute INVLPG or load CR3, for a guest INVEPT, INVVPID or INVLPGA, on every processor that may have used it.',
    },
  ]),
  views: { tlb: viewOf },
});
