// Linear to physical address: the page walks of 32-bit, PAE, 4-level and 5-level paging as one walk over a table, with
// accessed and dirty flags, access rights, protection keys and page-fault error codes. Left out: shadow stacks, and
// linear-address masking, which CPUID hides.
//
// Accessed and dirty flags are set once the access is known to be allowed, from the root down, each by one store to the
// doubleword that holds it, which no other processor can come between. A processor may also set accessed flags on the way
// to an entry that faults; here a refused access leaves the tables as they are.
import { PF, raise } from '../interrupt/exceptions.js';
import type { SecondLevel, SecondLevelAccess } from '../plugin/guest-mode.js';
import type { Cpu } from '../state/cpu.js';
import type { PhysicalDraft } from '../state/physical-draft.js';
import { FRAME_BYTES } from '../state/workbench.js';

/** What a translation depends on besides the tables. */
export interface PagingContext {
  readonly mode: PagingMode;
  /** CR3 as a physical address with the low bits of flags and PCID. */
  readonly root: number;
  /** The four PDPTE registers, in PAE paging only. */
  readonly pdptes: readonly bigint[];
  /** The access is made with user privilege: CPL 3. */
  readonly user: boolean;
  readonly writeProtect: boolean;
  readonly executeDisable: boolean;
  readonly smep: boolean;
  /** CR4.SMAP is set and RFLAGS.AC does not lift it. */
  readonly smap: boolean;
  /** PKRU where CR4.PKE makes it count, else 0; IA32_PKRS where CR4.PKS does. Signed 32-bit integers. */
  readonly userKeys: number;
  readonly supervisorKeys: number;
  readonly largePages: boolean;
  readonly physicalBits: number;
  /** Bit 8 of entries above the page-directory-pointer table must be 0, as AMD has it; Intel ignores it there. */
  readonly upperGlobalReserved: boolean;
  /** A20M# is asserted: bit 20 of every physical address is 0. */
  readonly a20Masked: boolean;
  /** In guest mode, what makes physical addresses of those that the tables here give. */
  readonly guest: GuestContext | undefined;
}

/** The second level for the processor whose turn it is. */
export interface GuestContext {
  readonly cpu: Cpu;
  readonly secondLevel: SecondLevel;
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
}

const level = (shift: number, mayMapPage = false, indexBits = 9): Level => ({ shift, indexBits, mayMapPage });

/** From the root down: bytes an entry, levels. Of PAE paging, what follows the PDPTE registers. */
const WALKS: Readonly<
  Record<Exclude<PagingMode, 'none'>, { readonly entryBytes: 4 | 8; readonly levels: readonly Level[] }>
> = {
  '32-bit': { entryBytes: 4, levels: [level(22, true, 10), level(12, false, 10)] },
  PAE: { entryBytes: 8, levels: [level(21, true), level(12)] },
  '4-level': { entryBytes: 8, levels: [level(39), level(30, true), level(21, true), level(12)] },
  '5-level': { entryBytes: 8, levels: [level(48), level(39), level(30, true), level(21, true), level(12)] },
};

const ENTRY = { present: 1, writable: 2, user: 4, accessed: 0x20, dirty: 0x40, pageSize: 0x80, global: 0x100 } as const;
const ERROR = { present: 1, write: 2, user: 4, reserved: 8, fetch: 16, protectionKey: 32 } as const;
/** Bits 62:52, in the high half: ignored in IA-32e mode, reserved in PAE paging. */
const PAE_RESERVED = 0x7ff0_0000;
/** PSE-36: bits 39:32 of a 4-MByte page stand in bits 20:13 of its entry, as many of them as the processor has. */
const PSE_36_BITS = 40;

/** Up to the number of physical frames that there can be: raising to a power in each walk would cost more than the walk. */
const POWERS_OF_TWO = Array.from({ length: 53 }, (_, exponent) => 2 ** exponent);

/** The place where the processor found an entry, with its value then. */
export interface PagingEntry {
  readonly address: number;
  /** The same before the second level. */
  readonly guestAddress: number;
  readonly low: number;
  readonly high: number;
}

/** What a walk found: the page and what all entries on the way allow. */
export interface PageTranslation {
  /** Physical address of the first byte of the page. */
  readonly base: number;
  /** Bits of the address within the page: 12, 21, 22 or 30. */
  readonly shift: number;
  /** R/W and U/S as every entry has them, as bits 1 and 2. */
  readonly rights: number;
  readonly executeDisabled: boolean;
  readonly protectionKey: number;
  readonly global: boolean;
  readonly dirty: boolean;
  /** The entry that maps the page, and those above it: from the root down. */
  readonly entries: readonly PagingEntry[];
}

/**
 * Walks the page tables for an access at a linear address (halves, signed 32 bits; canonical) and returns the physical
 * address. Sets accessed and dirty flags. Raises #PF with the error code of "Page-Fault Exceptions".
 */
export function walk(
  memory: PhysicalDraft,
  context: PagingContext,
  low: number,
  high: number,
  access: AccessKind,
): number {
  if (context.mode === 'none') return throughSecondLevel(context, withoutA20(context, low >>> 0), low, high, access);
  const page = allowedPage(memory, context, low, high, access);
  return throughSecondLevel(context, physicalAt(context, page, low, high), low, high, access, page);
}

/** The page of a linear address that allows an access; accessed and dirty flags are set. Raises #PF if none does. */
export function allowedPage(
  memory: PhysicalDraft,
  context: PagingContext,
  low: number,
  high: number,
  access: AccessKind,
): PageTranslation {
  const page = findPage(memory, context, low, high, access);
  const refusal = refusedAccess(context, page, access);
  if (refusal !== 0) pageFault(context, low, high, access, refusal);
  if (context.guest !== undefined) requireWritable(context, context.guest, page, low, high, access);
  setAccessed(memory, page.entries, access);
  return page;
}

/** The physical address that a guest-physical one stands for. */
export function throughSecondLevel(
  { guest, user }: PagingContext,
  address: number,
  low: number,
  high: number,
  kind: AccessKind,
  page?: PageTranslation,
): number {
  if (guest === undefined) return address;
  const access: SecondLevelAccess = { kind, purpose: 'final', linear: { low, high }, user, page };
  return guest.secondLevel.translate(guest.cpu, address, access);
}

/** Setting a flag in an entry of the guest's tables is a write to it. */
function requireWritable(
  { user }: PagingContext,
  { cpu, secondLevel }: GuestContext,
  page: PageTranslation,
  low: number,
  high: number,
  access: AccessKind,
): void {
  for (const [index, entry] of page.entries.entries()) {
    const bits = flagsToSet(index === page.entries.length - 1, access);
    if ((entry.low & bits) === bits) continue;
    const request: SecondLevelAccess = {
      kind: 'write',
      purpose: 'page walk',
      linear: { low, high },
      user,
      page: undefined,
    };
    secondLevel.translate(cpu, entry.guestAddress, request);
  }
}

/** The physical address of a linear one within a page. */
export function physicalAt(
  context: PagingContext,
  { base, shift }: PageTranslation,
  low: number,
  high: number,
): number {
  return withoutA20(context, base + offsetIn(low, high, shift));
}

/** The page of a linear address, whatever the access may do there; raises #PF for absent entries and reserved bits. */
export function findPage(
  memory: PhysicalDraft,
  context: PagingContext,
  low: number,
  high: number,
  access: AccessKind,
): PageTranslation {
  const { mode } = context;
  const { entryBytes, levels } = WALKS[mode as Exclude<PagingMode, 'none'>];
  let table =
    (mode === 'PAE' && context.guest?.secondLevel.readsPdptes === true
      ? tableInMemory(memory, context, context.guest, low, high, access)
      : rootOf(context, low)) ?? pageFault(context, low, high, access, 0);
  let rights = ENTRY.writable | ENTRY.user;
  let executeDisabled = false;
  const entries: PagingEntry[] = [];
  for (const current of levels) {
    const place = withoutA20(context, table + indexAt(low, high, current) * entryBytes);
    const entry = readEntry(
      memory,
      place,
      context.guest && entryAccess(context, context.guest, place, low, high),
      entryBytes,
    );
    if ((entry.low & ENTRY.present) === 0) pageFault(context, low, high, access, 0);
    const { shift } = current;
    const isPage =
      shift === 12 ||
      (current.mayMapPage && (entry.low & ENTRY.pageSize) !== 0 && (mode !== '32-bit' || context.largePages));
    if (hasReservedBits(entry, current, isPage, context))
      pageFault(context, low, high, access, ERROR.present | ERROR.reserved);
    rights &= entry.low;
    executeDisabled ||= entryBytes === 8 && entry.high < 0;
    entries.push(entry);
    if (isPage) {
      return {
        base: pageBase(entry, shift, mode),
        shift,
        rights,
        executeDisabled,
        protectionKey: (entry.high >>> 27) & 15, // bits 62:59
        global: (entry.low & ENTRY.global) !== 0,
        dirty: (entry.low & ENTRY.dirty) !== 0,
        entries,
      };
    }
    table = frameOf(entry) * FRAME_BYTES;
  }
  throw new RangeError('a walk ended without a page');
}

/** Where the first table lies; undefined if a PDPTE register says that there is none. */
function rootOf({ mode, root, pdptes }: PagingContext, low: number): number | undefined {
  // Outside IA-32e mode bits 63:32 of CR3 are ignored.
  if (mode === '32-bit') return (root % 2 ** 32) - (root % FRAME_BYTES);
  if (mode !== 'PAE') return (root % 2 ** 52) - (root % FRAME_BYTES);
  const pdpte = Number(pdptes[low >>> 30] ?? 0n);
  return pdpte % 2 === 0 ? undefined : (pdpte % 2 ** 52) - (pdpte % FRAME_BYTES);
}

/** Bits 2:1 and 8:5 of a PDPTE. */
const PDPTE_RESERVED = 0x1e6;

/** The same where PDPTEs are read at each walk; raises #PF for reserved bits. */
function tableInMemory(
  memory: PhysicalDraft,
  context: PagingContext,
  guest: GuestContext,
  low: number,
  high: number,
  access: AccessKind,
): number | undefined {
  const place = (context.root % 2 ** 32) - (context.root % 32) + (low >>> 30) * 8;
  const entry = readEntry(memory, place, entryAccess(context, guest, place, low, high), 8);
  if ((entry.low & ENTRY.present) === 0) return undefined;
  const frame = frameOf(entry);
  const tooFar = frame >= (POWERS_OF_TWO[context.physicalBits - 12] as number) || entry.high >>> 20 !== 0;
  if (tooFar || (entry.low & PDPTE_RESERVED) !== 0)
    return pageFault(context, low, high, access, ERROR.present | ERROR.reserved);
  return frame * FRAME_BYTES;
}

function withoutA20({ a20Masked }: PagingContext, physical: number): number {
  return a20Masked ? maskA20(physical) : physical;
}

/** A physical address with bit 20 cleared. */
export function maskA20(physical: number): number {
  return Math.floor(physical / 2 ** 20) % 2 === 1 ? physical - 2 ** 20 : physical;
}

function readEntry(
  memory: PhysicalDraft,
  guestAddress: number,
  translated: number | undefined,
  bytes: 4 | 8,
): PagingEntry {
  const address = translated ?? guestAddress;
  const word = memory.pagingWord(address);
  return { address, guestAddress, low: memory.wordAt(word), high: bytes === 8 ? memory.wordAt(word + 1) : 0 };
}

/** Where an entry of the guest's tables lies. */
function entryAccess(
  { user }: PagingContext,
  { cpu, secondLevel }: GuestContext,
  place: number,
  low: number,
  high: number,
): number {
  const access: SecondLevelAccess = {
    kind: 'read',
    purpose: 'page walk',
    linear: { low, high },
    user,
    page: undefined,
  };
  return secondLevel.translate(cpu, place, access);
}

/** Bits `shift + indexBits - 1 : shift` of the linear address. */
function indexAt(low: number, high: number, { shift, indexBits }: Level): number {
  const value = shift < 32 ? (low >>> shift) | (shift === 0 ? 0 : high << (32 - shift)) : high >>> (shift - 32);
  return value & ((1 << indexBits) - 1);
}

/** Bits 51:12 of an entry. */
function frameOf({ low, high }: PagingEntry): number {
  return (high & 0xf_ffff) * 2 ** 20 + (low >>> 12);
}

function pageBase(entry: PagingEntry, shift: number, mode: PagingMode): number {
  const pageFrames = 1 << (shift - 12);
  if (mode === '32-bit' && shift === 22)
    return ((entry.low >>> 13) & 0xff) * 2 ** 32 + ((entry.low & 0xffc0_0000) >>> 0);
  return Math.floor(frameOf(entry) / pageFrames) * pageFrames * FRAME_BYTES;
}

function offsetIn(low: number, high: number, shift: number): number {
  if (shift < 32) return low & ((1 << shift) - 1);
  return (high & (2 ** (shift - 32) - 1)) * 2 ** 32 + (low >>> 0);
}

/** Bits that must be 0: above the physical width, bit 63 without NXE, PS where no page can be, low bits of a large page. */
function hasReservedBits(entry: PagingEntry, current: Level, isPage: boolean, context: PagingContext): boolean {
  if (context.mode === '32-bit') return isPage && current.shift === 22 && (entry.low & pse36Reserved(context)) !== 0;
  if (entry.high < 0 && !context.executeDisable) return true;
  if (context.mode === 'PAE' && (entry.high & PAE_RESERVED) !== 0) return true;
  const address = frameOf(entry);
  if (address >= (POWERS_OF_TWO[context.physicalBits - 12] as number)) return true;
  if (current.shift >= 39 && context.upperGlobalReserved && (entry.low & ENTRY.global) !== 0) return true;
  if (!isPage) return (entry.low & ENTRY.pageSize) !== 0 && current.shift !== 12 && !current.mayMapPage;
  // Bit 12 of a large page is PAT; the address bits above it up to the page size are reserved.
  return current.shift > 12 && (entry.low & ((1 << current.shift) - 1) & ~0x1fff) !== 0;
}

/** Bits 21:(M-19) of the entry of a 4-MByte page, where M is 40 or the physical-address width if that is less. */
function pse36Reserved({ physicalBits }: PagingContext): number {
  return 2 ** 22 - 2 ** (Math.min(PSE_36_BITS, physicalBits) - 19);
}

function mayWrite(context: PagingContext, rights: number): boolean {
  if (context.user) return (rights & ENTRY.writable) !== 0 && (rights & ENTRY.user) !== 0;
  return (rights & ENTRY.writable) !== 0 || !context.writeProtect;
}

/** SDM, "Determination of Access Rights" and "Protection Keys": bits of the error code if the access is refused, else 0. */
export function refusedAccess(context: PagingContext, page: PageTranslation, access: AccessKind): number {
  const { rights, executeDisabled } = page;
  const userPage = (rights & ENTRY.user) !== 0;
  const refused = {
    read: context.user ? !userPage : userPage && context.smap,
    write: !mayWrite(context, rights) || (!context.user && userPage && context.smap),
    fetch: executeDisabled || (context.user ? !userPage : userPage && context.smep),
  }[access];
  // PK tells that the key refuses the access, whether or not something else does too.
  const byKey = isRefusedByKey(context, userPage, page.protectionKey, access) ? ERROR.protectionKey : 0;
  return refused || byKey !== 0 ? ERROR.present | byKey : 0;
}

/** Two bits a key: the lower one refuses every data access, the upper one writes, those of supervisor mode by CR0.WP. */
function isRefusedByKey(context: PagingContext, userPage: boolean, key: number, access: AccessKind): boolean {
  const keys = userPage ? context.userKeys : context.supervisorKeys;
  if (keys === 0 || access === 'fetch') return false;
  const [accessDisable, writeDisable] = [(keys >>> (2 * key)) & 1, (keys >>> (2 * key + 1)) & 1];
  return accessDisable === 1 || (writeDisable === 1 && access === 'write' && (context.user || context.writeProtect));
}

const flagsToSet = (isLast: boolean, access: AccessKind): number =>
  access === 'write' && isLast ? ENTRY.accessed | ENTRY.dirty : ENTRY.accessed;

/** Sets the accessed flag of each entry of a walk, and for a write the dirty flag of the last. */
function setAccessed(memory: PhysicalDraft, entries: readonly PagingEntry[], access: AccessKind): void {
  for (const [index, { address, low }] of entries.entries()) {
    const bits = flagsToSet(index === entries.length - 1, access);
    if ((low & bits) !== bits) memory.setBits(address, bits);
  }
}

/** Raises #PF; `bits` are P, RSVD and PK of the error code, the others follow from the access. */
function pageFault(context: PagingContext, low: number, high: number, access: AccessKind, bits: number): never {
  // Execution can be disabled by the entries of 8 bytes only: NXE says nothing while CR4.PAE is 0.
  const tellsFetch = context.smep || (context.executeDisable && context.mode !== '32-bit');
  const fetch = access === 'fetch' && tellsFetch ? ERROR.fetch : 0;
  const code = bits | (access === 'write' ? ERROR.write : 0) | (context.user ? ERROR.user : 0) | fetch;
  const address = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  return raise(PF(code, address), ruleOf(bits));
}

function ruleOf(bits: number): string {
  if ((bits & ERROR.protectionKey) !== 0) return 'core.paging.protection-key';
  if ((bits & ERROR.reserved) !== 0) return 'core.paging.reserved';
  return bits === 0 ? 'core.paging.present' : 'core.paging.rights';
}
