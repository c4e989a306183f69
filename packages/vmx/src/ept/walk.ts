// The walk of the EPT paging structures (SDM, "EPT Translation Mechanism" and "EPT-Induced VM Exits"): from a guest-physical
// address to a physical one, or the reason why there is none. It changes nothing; accessed and dirty flags are set when the
// access is known to be allowed (accessed-dirty.ts). A processor does it at each miss of its TLB, for each entry of the
// guest's own paging structures: numbers only, and one result that is used again.
import type { EptContext } from './context.js';
import { type EntryRule, misconfigurationOf } from './misconfiguration.js';

/** Memory in which the structures lie: doublewords by their place. */
export interface EptMemory {
  /** Where an aligned doubleword is; whoever depends on it is told when it is written. */
  pagingWord(address: number): number;
  wordAt(word: number): number;
}

const TOP_SHIFT = { 4: 39, 5: 48 } as const;
const INDEX_BITS = 9;
const INDEX_MASK = 0x1ff;
const PAGE_SHIFT = 12;
const LARGEST_SHIFT = 30;
const ENTRY_BYTES = 8;
const PAGE_SIZE = 0x80;
const FRAME = 2 ** 12;
/** Bits 51:32 of an address in an entry. */
const ADDRESS_HIGH = 0xf_ffff;
/** What a walk of four levels translates: 48 bits. */
const FOUR_LEVELS_HIGH = 2 ** 16;
const MOST_LEVELS = 5;

/** How a walk ended, with what it saw: made once and used for every walk. */
export class EptWalk {
  outcome: 'translated' | 'violation' | 'misconfiguration' = 'translated';
  guestPhysical = 0;
  /** Where it leads, if it was translated. */
  physical = 0;
  /** The right that the access needed. */
  needed = 0;
  /** Rights that every entry gives: 0 once one is not present. */
  rights = 0;
  /** The entry that was read last: the one that maps the page, or that is not present. */
  low = 0;
  high = 0;
  /** Lowest bit of its index: the bits of the address within the page. */
  shift = 0;
  isPage = false;
  /** Entries that were read, from the root down, by address and halves. */
  length = 0;
  readonly addresses = new Float64Array(MOST_LEVELS);
  readonly words = new Int32Array(MOST_LEVELS);
  readonly upperWords = new Int32Array(MOST_LEVELS);
  /** The rule that a misconfigured entry violates. */
  misconfiguration: EntryRule | undefined;
}

/** Translates a guest-physical address, below 2 to the 52nd, for an access that needs a right. */
export function walkEpt(
  memory: EptMemory,
  context: EptContext,
  guestPhysical: number,
  needed: number,
  walk: EptWalk,
): void {
  const high = Math.floor(guestPhysical / 2 ** 32);
  const low = guestPhysical | 0; // modulo 2 to the 32nd
  begin(context, guestPhysical, needed, walk);
  if (context.walkLength === 4 && high >= FOUR_LEVELS_HIGH) {
    walk.rights = 0;
    return;
  }
  let table = context.root;
  for (let shift: number = TOP_SHIFT[context.walkLength]; ; shift -= INDEX_BITS) {
    readEntry(memory, context, table + indexAt(low, high, shift) * ENTRY_BYTES, shift, walk);
    if ((walk.low & context.presentMask) === 0) return;
    if (refusesEntry(context, walk)) return;
    table = (walk.high & ADDRESS_HIGH) * 2 ** 32 + ((walk.low & -FRAME) >>> 0);
    if (walk.isPage) break;
  }
  if ((walk.rights & needed) === 0) return;
  walk.outcome = 'translated';
  walk.physical = table + (low & ((1 << walk.shift) - 1));
}

/** Until the end is reached, the outcome is a violation. */
function begin(context: EptContext, guestPhysical: number, needed: number, walk: EptWalk): void {
  walk.outcome = 'violation';
  walk.guestPhysical = guestPhysical;
  walk.needed = needed;
  walk.rights = context.presentMask;
  walk.low = 0;
  walk.high = 0;
  walk.isPage = false;
  walk.length = 0;
  walk.misconfiguration = undefined;
}

function readEntry(memory: EptMemory, context: EptContext, address: number, shift: number, walk: EptWalk): void {
  const word = memory.pagingWord(address);
  const low = memory.wordAt(word);
  walk.low = low;
  walk.high = memory.wordAt(word + 1);
  walk.shift = shift;
  walk.isPage =
    shift === PAGE_SHIFT ||
    (shift <= LARGEST_SHIFT && (low & PAGE_SIZE) !== 0 && ((context.pageShifts >> shift) & 1) === 1);
  walk.rights &= low;
  walk.addresses[walk.length] = address;
  walk.words[walk.length] = low;
  walk.upperWords[walk.length] = walk.high;
  walk.length++;
}

function refusesEntry(context: EptContext, walk: EptWalk): boolean {
  const rule = misconfigurationOf(context, walk);
  if (rule === undefined) return false;
  walk.outcome = 'misconfiguration';
  walk.misconfiguration = rule;
  return true;
}

/** Nine bits of the address from `shift` up. */
function indexAt(low: number, high: number, shift: number): number {
  if (shift >= 32) return (high >> (shift - 32)) & INDEX_MASK;
  return ((low >>> shift) | (high << (32 - shift))) & INDEX_MASK;
}
