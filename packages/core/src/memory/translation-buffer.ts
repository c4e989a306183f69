// What a model of the TLB must offer so that translations outlive the tables they come from (SDM, "Caching Translation
// Information"). The machine has none unless a plugin brings one: then each translation is one of the tables in memory.
import { GuestFault } from '../interrupt/exceptions.js';
import type { Cpu } from '../state/cpu.js';
import type { PhysicalDraft } from '../state/physical-draft.js';
import {
  type AccessKind,
  findPage,
  type PageTranslation,
  type PagingContext,
  pageFault,
  physicalAt,
  refusedAccess,
  setAccessed,
} from './paging.js';

/** Which translations are forgotten. */
export interface Invalidation {
  /** A linear address: only those of the page that holds it, whatever its size. */
  readonly address?: bigint;
  /** A process-context identifier: only those made under it, and global ones if `globals` says so. */
  readonly pcid?: number;
  readonly globals: boolean;
}

/** All of a processor's translations. */
export const EVERYTHING: Invalidation = { globals: true };

/**
 * A TLB as a plugin models it: architectural state of its machine. A look-up must not change what is kept. `page` is the
 * number of a 4-KByte linear page, negative in the upper half; a larger page is kept as pieces of 4 KBytes.
 */
export interface TranslationBuffer {
  readonly find: (cpu: Cpu, page: number) => KeptTranslation | undefined;
  /** Keeps what a walk found. Returns the number of the page whose translation had to go, if one had to. */
  readonly fill: (cpu: Cpu, page: number, translation: PageTranslation) => number | undefined;
  /** Forgets one piece that `find` found. */
  readonly drop: (cpu: Cpu, page: number) => void;
  readonly invalidate: (cpu: Cpu, what: Invalidation) => void;
  /** A kept translation was used although the tables would not allow the access now, or lead elsewhere. */
  readonly stale: (cpu: Cpu, page: number) => void;
}

/** A translation with what the buffer knows of its tables. */
export interface KeptTranslation {
  readonly translation: PageTranslation;
  /** An entry that it was made of has another value now, and `stale` was not told yet. */
  readonly suspect: boolean;
}

const PCID = 0xfffn;
/** The process-context identifier under which a processor makes translations: 0 without CR4.PCIDE. */
export const currentPcid = (cpu: Cpu): number => (cpu.CR4.PCIDE ? Number(cpu.CR3 & PCID) : 0);

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
  const found = findPage(memory, context, low, high, access);
  const refusal = refusedAccess(context, found, access);
  if (refusal !== 0) pageFault(context, low, high, access, refusal);
  setAccessed(memory, found.entries, access);
  const displaced = fill(cpu, page, { ...found, dirty: found.dirty || access === 'write' });
  if (displaced !== undefined) dropped(displaced);
  return physicalAt(context, found, low, high);
}

function serves(translation: PageTranslation, context: PagingContext, access: AccessKind): boolean {
  return refusedAccess(context, translation, access) === 0 && (access !== 'write' || translation.dirty);
}

/** Where the tables lead now; undefined if they refuse the access. Nothing is set in them. */
function physicalNow(
  memory: PhysicalDraft,
  context: PagingContext,
  low: number,
  high: number,
  access: AccessKind,
): number | undefined {
  try {
    const found = findPage(memory, context, low, high, access);
    return refusedAccess(context, found, access) === 0 ? physicalAt(context, found, low, high) : undefined;
  } catch (thrown) {
    if (thrown instanceof GuestFault) return undefined;
    throw thrown;
  }
}
