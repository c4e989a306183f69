// SDM, "EPT Misconfigurations": what makes an entry that is present meaningless. Each entry of a walk is checked before the
// next one is read, so that a misconfiguration comes before an EPT violation of a later entry.
import { type Citation, sdm } from '@retrovisor/core';
import { EPT_RIGHTS, type EptContext } from './context.js';

/** An entry as two signed 32-bit integers, with the lowest bit of the address that its index is made of. */
export interface EptEntry {
  readonly low: number;
  readonly high: number;
  readonly shift: number;
  /** It maps a page; otherwise it references a table. */
  readonly isPage: boolean;
}

/** A row of the table: what holds for each entry that is present. */
export interface EntryRule {
  readonly id: string;
  readonly manual: Citation;
  /** The entries that it is for, if not all. */
  readonly of?: 'table' | 'page';
  readonly holds: (context: EptContext, entry: EptEntry) => boolean;
  readonly explain: string;
  readonly note?: string;
}

const { read, write } = EPT_RIGHTS;
/** Bits 7:3 of an entry that references a table. Bit 7 says that it does, or is reserved where no page can be. */
const TABLE_RESERVED = 0xf8;
/** By bit: the types 2, 3 and 7 do not exist. */
const NO_MEMORY_TYPES = 0b1000_1100;
const PAGE_FRAME = ~0xfff;

const manual = sdm('EPT Misconfigurations');

export const EPT_MISCONFIGURATIONS: readonly EntryRule[] = [
  {
    id: 'vmx.ept.write-only',
    manual,
    holds: (_context, { low }) => (low & (read | write)) !== write,
    explain: 'An EPT entry that allows writes must allow reads too: set bit 0 with bit 1.',
  },
  {
    id: 'vmx.ept.execute-only',
    manual,
    holds: ({ executeOnly }, { low }) => executeOnly || (low & read) !== 0,
    explain: 'An EPT entry may allow fetches without reads only where IA32_VMX_EPT_VPID_CAP[0] is 1: set bit 0.',
  },
  {
    id: 'vmx.ept.address-width',
    manual,
    holds: ({ reservedHigh }, { high }) => (high & reservedHigh) === 0,
    explain: 'The address in an EPT entry must be within the physical-address width: clear the bits up to 51.',
  },
  {
    id: 'vmx.ept.table-reserved',
    manual,
    of: 'table',
    holds: (_context, { low }) => (low & TABLE_RESERVED) === 0,
    explain:
      'Bits 7:3 of an EPT entry that references a table are reserved, bit 7 wherever no page of that size can be.',
  },
  {
    id: 'vmx.ept.page-alignment',
    manual,
    of: 'page',
    holds: (_context, { low, shift }) => (low & ((1 << shift) - 1) & PAGE_FRAME) === 0,
    explain: 'A page of 2 MBytes or 1 GByte must be aligned to its size: clear the address bits below.',
  },
  {
    id: 'vmx.ept.memory-type',
    manual,
    of: 'page',
    holds: (_context, { low }) => ((NO_MEMORY_TYPES >> ((low >> 3) & 7)) & 1) === 0,
    explain: 'The EPT memory type of a page, bits 5:3, must be 0, 1, 4, 5 or 6.',
    note: 'Bochs checks the bits of entries that reference tables in the same way; they are reserved there anyway.',
  },
];

const RULES_OF_TABLES = EPT_MISCONFIGURATIONS.filter((rule) => rule.of !== 'page');
const RULES_OF_PAGES = EPT_MISCONFIGURATIONS.filter((rule) => rule.of !== 'table');

/** The first rule that an entry violates. */
export function misconfigurationOf(context: EptContext, entry: EptEntry): EntryRule | undefined {
  for (const rule of entry.isPage ? RULES_OF_PAGES : RULES_OF_TABLES) if (!rule.holds(context, entry)) return rule;
  return undefined;
}
