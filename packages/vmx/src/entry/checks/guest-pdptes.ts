// The check on the page-directory-pointer-table entries of a guest with PAE paging (SDM, "Checks on Guest
// Page-Directory-Pointer-Table Entries"): in the VMCS with EPT, at CR3 in memory without.
import { CR0, CR4, sdm } from '@retrovisor/core';
import { Entry, Secondary } from '../../controls.js';
import { type FieldName, fieldNamed } from '../../fields.js';
import { halvesOf } from '../entry-processor.js';
import { type EntryState, wholeField } from '../entry-state.js';
import { fitsWidth } from './address.js';
import { defineEntryChecks, INVALID_PDPTE } from './entry-check.js';

const GUEST_CR0 = fieldNamed('Guest CR0');
const GUEST_CR3 = fieldNamed('Guest CR3');
const GUEST_CR4 = fieldNamed('Guest CR4');
const EPT = Secondary['enable EPT'];
const IA_32E = Entry['IA-32e mode guest'];
const NAMES: readonly FieldName[] = ['Guest PDPTE0', 'Guest PDPTE1', 'Guest PDPTE2', 'Guest PDPTE3'];
const FIELDS = NAMES.map((name) => fieldNamed(name));
const BYTES = 8;
/** CR3 points to 32 bytes. */
const CR3_IGNORED = 0x1fn;
const CR3_ADDRESS = 0xffff_ffffn;

const PRESENT = 1;
/** Bits 2:1 and 8:5. */
const RESERVED = 0x1e6;

const usesPae = (state: EntryState): boolean =>
  !state.control(IA_32E) &&
  ((state.word(GUEST_CR0) >>> CR0.bits.PG) & 1) === 1 &&
  ((state.word(GUEST_CR4) >>> CR4.bits.PAE) & 1) === 1;

/** Bits 31:5 of CR3: PAE paging ignores the others. */
const tableAddress = (state: EntryState): bigint => wholeField(state, GUEST_CR3) & CR3_ADDRESS & ~CR3_IGNORED;

function isValid(state: EntryState, low: number, high: number): boolean {
  return (low & PRESENT) === 0 || ((low & RESERVED) === 0 && fitsWidth(high, state.processor.physicalAddressWidth));
}

function isValidInMemory(state: EntryState, index: number): boolean {
  const { low, high } = halvesOf(state.memory(tableAddress(state) + BigInt(index * BYTES), BYTES));
  return isValid(state, low, high);
}

export const guestPdpteChecks = defineEntryChecks(
  sdm('Checks on Guest Page-Directory-Pointer-Table Entries'),
  INVALID_PDPTE,
  [
    {
      id: 'vmx.entry.guest.pdpte.reserved',
      reads: [IA_32E, EPT, 'Guest CR0', 'Guest CR3', 'Guest CR4', ...NAMES],
      places: (state) =>
        usesPae(state) && !state.control(EPT)
          ? FIELDS.map((_field, index) => `[0x${(tableAddress(state) + BigInt(index * BYTES)).toString(16)}+8]`)
          : [],
      appliesWhen: usesPae,
      holds: (state) =>
        state.control(EPT)
          ? FIELDS.every((field) => isValid(state, state.word(field), state.high(field)))
          : FIELDS.every((_field, index) => isValidInMemory(state, index)),
      explain: 'With PAE paging, bits 2:1, 8:5 and those beyond the address width must be 0 in each present PDPTE.',
    },
  ],
);
