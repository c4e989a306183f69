// Where the software TLB lies in the hot memory and what an entry is, for TypeScript and for generated code. One bank a
// privilege (supervisor, user) and kind (read, write, fetch); 16 bytes an entry, found by bits 19:12 of the address.
import { TLB_OFFSET } from '../state/workbench.js';

/** Entries of a bank. */
export const TLB_ENTRIES = 256;
const ENTRY_BYTES = 16;
const BANK_BYTES = TLB_ENTRIES * ENTRY_BYTES;
const KINDS = ['read', 'write', 'fetch'] as const;

/** Bytes of all banks. */
export const TLB_BYTES = 2 * KINDS.length * BANK_BYTES;

/** Constants of a look-up, in bytes and bits. */
export const TLB_ENTRY = {
  /** Offsets of the parts: page address with `valid` in bit 0, 64 bits; the slot's address; slot less page, to be added. */
  tag: 0,
  slot: 8,
  addend: 12,
  /** Low bits of a tag: of an entry that is used at once, and of one whose accesses somebody wants to know of. */
  plain: 1,
  observed: 3,
  pageShift: 12,
  /** What stays of an address in a tag. */
  pageMask: -4096,
  sizeShift: 4,
  /** The place of an entry in its bank, once the address is shifted right by `pageShift - sizeShift`. */
  mask: (TLB_ENTRIES - 1) * ENTRY_BYTES,
} as const;

/** The byte address of a bank. */
export function tlbBank(user: boolean, kind: (typeof KINDS)[number]): number {
  return TLB_OFFSET + ((user ? KINDS.length : 0) + KINDS.indexOf(kind)) * BANK_BYTES;
}
