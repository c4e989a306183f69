// What a model of the TLB must offer so that translations outlive the tables they come from (SDM, "Caching Translation
// Information"). The machine has none unless a plugin brings one: then each translation is one of the tables in memory.
import { GuestFault } from '../interrupt/exceptions.js';
import { Interception } from '../interrupt/interception.js';
import type { TranslationTag } from '../plugin/guest-mode.js';
import type { Cpu } from '../state/cpu.js';
import type { PhysicalDraft } from '../state/physical-draft.js';
import {
  type AccessKind,
  allowedPage,
  findPage,
  type PageTranslation,
  type PagingContext,
  type PagingEntry,
  physicalAt,
  refusedAccess,
  throughSecondLevel,
} from './paging.js';

/** Which translations are forgotten. */
export interface Invalidation {
  /** A linear address: only those of the page that holds it, whatever its size. */
  readonly address?: bigint;
  /** A process-context identifier: only those made under it, and global ones if `globals` says so. */
  readonly pcid?: number;
  readonly globals: boolean;
  /** Whose translations: of a VPID or ASID, or of each but 0. Absent: of the one that is in use. */
  readonly space?: number | 'guests';
  /** Translations made through the second level with this root, or any, of every space; nothing else counts then. */
  readonly tables?: number | 'any';
}

/** All translations of the space that is in use. */
export const EVERYTHING: Invalidation = { globals: true };

/** By kind of access: bits of what a translation was found to allow. */
const KIND: Readonly<Record<AccessKind, number>> = { read: 1, write: 3, fetch: 4 };
const ANY_KIND = 7;

/** A translation as it is kept: from a linear to a physical address, whatever levels are in between. */
export interface BufferedTranslation extends PageTranslation {
  /** What the second level was asked for and allowed: read 1, write 2, fetch 4; all of them without one. */
  readonly kinds: number;
  /** The entries of the second level on the way. */
  readonly secondLevelEntries: readonly PagingEntry[];
}

/**
 * A TLB as a plugin models it: architectural state of its machine. A look-up must not change what is kept. `page` is the
 * number of a 4-KByte linear page, negative in the upper half; a larger page is kept as pieces of 4 KBytes.
 */
export interface TranslationBuffer {
  readonly find: (cpu: Cpu, page: number) => KeptTranslation | undefined;
  /** Keeps what a walk found. Returns the number of the page whose translation had to go, if one had to. */
  readonly fill: (cpu: Cpu, page: number, translation: BufferedTranslation) => number | undefined;
  /** Forgets one piece that `find` found. */
  readonly drop: (cpu: Cpu, page: number) => void;
  readonly invalidate: (cpu: Cpu, what: Invalidation) => void;
  /** A kept translation was used although the tables would not allow the access now, or lead elsewhere. */
  readonly stale: (cpu: Cpu, page: number) => void;
}

/** A translation with what the buffer knows of its tables. */
export interface KeptTranslation {
  readonly translation: BufferedTranslation;
  /** An entry that it was made of has another value now, and `stale` was not told yet. */
  readonly suspect: boolean;
}

const PCID = 0xfffn;
/** The process-context identifier under which a processor makes translations: 0 without CR4.PCIDE. */
export const currentPcid = (cpu: Cpu): number => (cpu.CR4.PCIDE ? Number(cpu.CR3 & PCID) : 0);

const HOST: TranslationTag = { space: 0, tables: 0 };
/** What translations of the current processor are told apart by. */
export const currentTag = (cpu: Cpu): TranslationTag => cpu.draft.guest?.tag ?? HOST;

/** The number of the 4-KByte page that holds a linear address, given by its halves. */
const pageNumber = (low: number, high: number): number => high * 2 ** 20 + (low >>> 12);

/**
 * What memory/paging.ts's `walk` does, by way of a buffer. A kept translation serves what it allows: one that refuses the
 * access, or that would need the dirty flag set, is dropped and the tables are walked, so that no fault is spurious.
 */
export function translateThrough(
  { find, fill, drop, stale }: TranslationBuffer,
  cpu: Cpu,
  memory: PhysicalDraft,
  context: PagingContext,
  [low, high]: readonly [low: number, high: number],
  access: AccessKind,
  /** Told of each page whose translation is no longer kept. */
  dropped: (page: number) => void,
): number {
  const page = pageNumber(low, high);
  const kept = find(cpu, page);
  if (kept !== undefined && serves(kept.translation, context, access)) {
    const physical = physicalAt(context, kept.translation, low, high);
    if (kept.suspect && physical !== physicalNow(memory, context, low, high, access)) stale(cpu, page);
    return physical;
  }
  if (kept !== undefined) {
    drop(cpu, page);
    dropped(page);
  }
  const [translation, physical] = translated(memory, context, low, high, access);
  const kinds =
    kept?.translation.base === translation.base ? translation.kinds | kept.translation.kinds : translation.kinds;
  const displaced = fill(cpu, page, { ...translation, kinds });
  if (displaced !== undefined) dropped(displaced);
  return physical;
}

/** What the tables say now, with the physical address. */
function translated(
  memory: PhysicalDraft,
  context: PagingContext,
  low: number,
  high: number,
  access: AccessKind,
): readonly [translation: BufferedTranslation, physical: number] {
  const used = new Map<number, PagingEntry>();
  const recorded = recordedContext(context, used);
  const page = allowedPage(memory, recorded, low, high, access);
  const address = physicalAt(context, page, low, high);
  const physical = throughSecondLevel(recorded, address, low, high, access, page);
  const translation: BufferedTranslation = {
    ...page,
    base: page.base + physical - address, // of a larger page, only this piece lies there
    dirty: page.dirty || access === 'write',
    kinds: context.guest === undefined ? ANY_KIND : KIND[access],
    secondLevelEntries: [...used.values()],
  };
  return [translation, physical];
}

/** The context with a second level that keeps what it used. */
function recordedContext(context: PagingContext, used: Map<number, PagingEntry>): PagingContext {
  const { guest } = context;
  if (guest === undefined) return context;
  const { secondLevel } = guest;
  const translate: typeof secondLevel.translate = (cpu, address, access) => {
    const physical = secondLevel.translate(cpu, address, access);
    for (const entry of secondLevel.used?.() ?? []) used.set(entry.address, entry);
    return physical;
  };
  return { ...context, guest: { cpu: guest.cpu, secondLevel: { translate } } };
}

function serves(translation: BufferedTranslation, context: PagingContext, access: AccessKind): boolean {
  const isAllowed =
    (translation.kinds & KIND[access]) === KIND[access] && refusedAccess(context, translation, access) === 0;
  return isAllowed && (access !== 'write' || translation.dirty);
}

/** Where the tables lead now; undefined if they refuse the access. Nothing is set in those of the first level. */
function physicalNow(
  memory: PhysicalDraft,
  context: PagingContext,
  low: number,
  high: number,
  access: AccessKind,
): number | undefined {
  try {
    const found = findPage(memory, context, low, high, access);
    if (refusedAccess(context, found, access) !== 0) return undefined;
    return throughSecondLevel(context, physicalAt(context, found, low, high), low, high, access, found);
  } catch (thrown) {
    if (thrown instanceof GuestFault || thrown instanceof Interception) return undefined;
    throw thrown;
  }
}
