// Linear to physical address: the page walks of 32-bit, PAE, 4-level and 5-level paging as one walk over a table, with
// accessed and dirty flags, access rights and page-fault error codes. Left out: protection keys, PDPTE registers of PAE
// paging (the entries are read from memory at each walk), shadow stacks.
import { PF, raise } from '../interrupt/exceptions.js';
import type { PhysicalDraft } from '../state/physical-draft.js';
import { FRAME_FLAG } from '../state/physical-draft.js';
import { FRAME_BYTES } from '../state/workbench.js';

/** What a translation depends on besides the tables. */
export interface PagingContext {
  readonly mode: PagingMode;
  /** CR3 as a physical address with the low bits of flags and PCID. */
  readonly root: number;
  /** The access is made with user privilege: CPL 3. */
  readonly user: boolean;
  readonly writeProtect: boolean;
  readonly executeDisable: boolean;
  readonly smep: boolean;
  /** CR4.SMAP is set and RFLAGS.AC does not lift it. */
  readonly smap: boolean;
  readonly largePages: boolean;
  readonly physicalBits: number;
}

/** What is done at the address. */
export type AccessKind = 'read' | 'write' | 'fetch';

export type PagingMode = 'none' | '32-bit' | 'PAE' | '4-level' | '5-level';

interface Level {
  /** Lowest bit of the index, and of the address within a page mapped here. */
  readonly shift: number;
  readonly indexBits: number;
  /** PS maps a page at this level. */
  readonly mayMapPage: boolean;
  /** PAE's PDPTEs have no rights and no accessed flag. */
  readonly hasRights: boolean;
}

const level = (shift: number, mayMapPage = false, indexBits = 9, hasRights = true): Level => ({
  shift,
  indexBits,
  mayMapPage,
  hasRights,
});

/** From the root down: bytes an entry, alignment of the root in bytes, levels. */
const WALKS: Readonly<
  Record<Exclude<PagingMode, 'none'>, { entryBytes: 4 | 8; rootAlignment: number; levels: readonly Level[] }>
> = {
  '32-bit': { entryBytes: 4, rootAlignment: 4096, levels: [level(22, true, 10), level(12, false, 10)] },
  PAE: { entryBytes: 8, rootAlignment: 32, levels: [level(30, false, 2, false), level(21, true), level(12)] },
  '4-level': { entryBytes: 8, rootAlignment: 4096, levels: [level(39), level(30, true), level(21, true), level(12)] },
  '5-level': {
    entryBytes: 8,
    rootAlignment: 4096,
    levels: [level(48), level(39), level(30, true), level(21, true), level(12)],
  },
};

const ENTRY = { present: 1, writable: 2, user: 4, accessed: 0x20, dirty: 0x40, pageSize: 0x80 } as const;
const ERROR = { present: 1, write: 2, user: 4, reserved: 8, fetch: 16 } as const;
const PSE_36_RESERVED = 1 << 21;
/** Bits 62:52, in the high half: ignored in IA-32e mode, reserved in PAE paging. */
const PAE_RESERVED = 0x7ff0_0000;

/** The end of a walk. */
export interface Translation {
  /** Physical address of the byte. */
  readonly physical: number;
  /** Stores with the same privilege need no other walk: the dirty flag is set and writing is allowed. */
  readonly writable: boolean;
}

interface Entry {
  readonly address: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Walks the page tables for an access at a linear address (halves, signed 32 bits; canonical).
 * Sets accessed and dirty flags. Raises #PF with the error code of "Page-Fault Exceptions".
 */
export function walk(
  memory: PhysicalDraft,
  context: PagingContext,
  low: number,
  high: number,
  access: AccessKind,
): Translation {
  const { mode } = context;
  if (mode === 'none') return { physical: low >>> 0, writable: true };
  const { entryBytes, rootAlignment, levels } = WALKS[mode];
  // Outside IA-32e mode bits 63:32 of CR3 are ignored.
  const rootBits = mode === '32-bit' || mode === 'PAE' ? 32 : 52;
  let table = Math.floor((context.root % 2 ** rootBits) / rootAlignment) * rootAlignment;
  let rights = ENTRY.writable | ENTRY.user;
  let executeDisabled = false;
  const visited: Entry[] = [];
  for (const current of levels) {
    const entry = readEntry(memory, table + indexAt(low, high, current) * entryBytes, entryBytes);
    if ((entry.low & ENTRY.present) === 0) pageFault(context, low, high, access, 0);
    const isPage =
      current.shift === 12 ||
      (current.mayMapPage && (entry.low & ENTRY.pageSize) !== 0 && (mode !== '32-bit' || context.largePages));
    if (hasReservedBits(entry, current, isPage, context))
      pageFault(context, low, high, access, ERROR.present | ERROR.reserved);
    if (current.hasRights) {
      rights &= entry.low;
      executeDisabled ||= entryBytes === 8 && entry.high < 0;
      visited.push(entry);
    }
    if (isPage) {
      checkRights(context, rights, executeDisabled, low, high, access);
      setAccessed(memory, visited, access);
      const writable = access === 'write' || ((entry.low & ENTRY.dirty) !== 0 && mayWrite(context, rights));
      return { physical: pageBase(entry, current, mode) + offsetIn(low, high, current), writable };
    }
    table = frameOf(entry) * FRAME_BYTES;
  }
  throw new RangeError('a walk ended without a page');
}

function readEntry(memory: PhysicalDraft, address: number, bytes: 4 | 8): Entry {
  memory.mark(Math.floor(address / FRAME_BYTES), FRAME_FLAG.pageTable);
  return { address, low: memory.readWord(address), high: bytes === 8 ? memory.readWord(address + 4) : 0 };
}

/** Bits `shift + indexBits - 1 : shift` of the linear address. */
function indexAt(low: number, high: number, { shift, indexBits }: Level): number {
  const value = shift < 32 ? (low >>> shift) | (shift === 0 ? 0 : high << (32 - shift)) : high >>> (shift - 32);
  return value & (2 ** indexBits - 1);
}

/** Bits 51:12 of an entry. */
function frameOf({ low, high }: Entry): number {
  return (high & 0xf_ffff) * 2 ** 20 + (low >>> 12);
}

function pageBase(entry: Entry, { shift }: Level, mode: PagingMode): number {
  const pageFrames = 2 ** (shift - 12);
  // PSE-36: bits 39:32 of a 4-MByte page stand in bits 20:13 of its entry.
  if (mode === '32-bit' && shift === 22)
    return ((entry.low >>> 13) & 0xff) * 2 ** 32 + ((entry.low & 0xffc0_0000) >>> 0);
  return Math.floor(frameOf(entry) / pageFrames) * pageFrames * FRAME_BYTES;
}

function offsetIn(low: number, high: number, { shift }: Level): number {
  return shift <= 32 ? (low >>> 0) % 2 ** shift : (high & (2 ** (shift - 32) - 1)) * 2 ** 32 + (low >>> 0);
}

/** Bits that must be 0: above the physical width, bit 63 without NXE, PS where no page can be, low bits of a large page. */
function hasReservedBits(entry: Entry, current: Level, isPage: boolean, context: PagingContext): boolean {
  // Of a 4-MByte page: bit 21, above the address bits 39:32 that stand below it.
  if (context.mode === '32-bit') return isPage && current.shift === 22 && (entry.low & PSE_36_RESERVED) !== 0;
  if (entry.high < 0 && !context.executeDisable) return true;
  if (context.mode === 'PAE' && (entry.high & PAE_RESERVED) !== 0) return true;
  const address = frameOf(entry);
  if (address >= 2 ** (context.physicalBits - 12)) return true;
  if (!isPage) return (entry.low & ENTRY.pageSize) !== 0 && current.shift !== 12 && !current.mayMapPage;
  // Bit 12 of a large page is PAT; the address bits above it up to the page size are reserved.
  return current.shift > 12 && (address % 2 ** (current.shift - 12)) >> 1 !== 0;
}

function mayWrite(context: PagingContext, rights: number): boolean {
  if (context.user) return (rights & ENTRY.writable) !== 0 && (rights & ENTRY.user) !== 0;
  return (rights & ENTRY.writable) !== 0 || !context.writeProtect;
}

function checkRights(
  context: PagingContext,
  rights: number,
  executeDisabled: boolean,
  low: number,
  high: number,
  access: AccessKind,
): void {
  const userPage = (rights & ENTRY.user) !== 0;
  const refused = {
    read: context.user ? !userPage : userPage && context.smap,
    write: !mayWrite(context, rights) || (!context.user && userPage && context.smap),
    fetch: executeDisabled || (context.user ? !userPage : userPage && context.smep),
  }[access];
  if (refused) pageFault(context, low, high, access, ERROR.present);
}

function setAccessed(memory: PhysicalDraft, visited: readonly Entry[], access: AccessKind): void {
  for (const [index, { address, low }] of visited.entries()) {
    const bits = access === 'write' && index === visited.length - 1 ? ENTRY.accessed | ENTRY.dirty : ENTRY.accessed;
    if ((low & bits) !== bits) memory.setBits(address, bits);
  }
}

function pageFault(context: PagingContext, low: number, high: number, access: AccessKind, bits: number): never {
  // Execution can be disabled by the entries of 8 bytes only: NXE says nothing while CR4.PAE is 0.
  const tellsFetch = context.smep || (context.executeDisable && context.mode !== '32-bit');
  const fetch = access === 'fetch' && tellsFetch ? ERROR.fetch : 0;
  const code = bits | (access === 'write' ? ERROR.write : 0) | (context.user ? ERROR.user : 0) | fetch;
  const address = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  return raise(
    PF(code, address),
    bits === 0 ? 'core.paging.present' : bits & ERROR.reserved ? 'core.paging.reserved' : 'core.paging.rights',
  );
}
