// Checks that relate the sizes of the host's and the guest's address space to the mode of the processor (SDM, "Checks
// Related to Address-Space Size"), in the manual's order.
import { CR4, sdm } from '@retrovisor/core';
import { Entry, Exit } from '../../controls.js';
import { fieldNamed } from '../../fields.js';
import type { EntryState } from '../entry-state.js';
import { isCanonical } from './address.js';
import { defineEntryChecks, type EntryCheckRow, INVALID_HOST_STATE } from './entry-check.js';

const HOST_CR4 = fieldNamed('Host CR4');
const HOST_RIP = fieldNamed('Host RIP');
const HOST_64 = Exit['host address-space size'];
const GUEST_64 = Entry['IA-32e mode guest'];
/** Not in the tables of core: no processor of the pinned revision has it. */
const CR4_FRED_IN_HIGH_HALF = 0;

const id = (check: string) => `vmx.entry.host.addr-size.${check}` as const;
const bit = (value: number, number: number): boolean => ((value >>> number) & 1) === 1;
const is64Bit = (state: EntryState) => state.control(HOST_64);
const is32Bit = (state: EntryState) => !state.control(HOST_64);
const EFER_LMA = ['IA32_EFER.LMA'];

const WHICH_ERROR =
  'The manual leaves open whether this is VM-instruction error 7 or 8; 8 is what KVM and kvm-unit-tests have.';

const modeChecks: readonly EntryCheckRow[] = [
  {
    id: id('lma1'),
    reads: [HOST_64],
    places: () => EFER_LMA,
    appliesWhen: (state) => state.inIa32eMode,
    holds: is64Bit,
    explain: 'In IA-32e mode "host address-space size" must be 1: an exit returns to the mode of the entry.',
    note: WHICH_ERROR,
  },
  {
    id: id('lma0'),
    reads: [HOST_64, GUEST_64],
    places: () => EFER_LMA,
    appliesWhen: (state) => !state.inIa32eMode,
    holds: (state) => !state.control(HOST_64) && !state.control(GUEST_64),
    explain: 'Outside IA-32e mode "host address-space size" and "IA-32e mode guest" must both be 0.',
    note: WHICH_ERROR,
  },
];

export const hostAddressSpaceChecks = defineEntryChecks(
  sdm('Checks Related to Address-Space Size'),
  INVALID_HOST_STATE,
  [
    ...modeChecks,
    {
      id: id('0-ia32e'),
      reads: [HOST_64, GUEST_64],
      appliesWhen: is32Bit,
      holds: (state) => !state.control(GUEST_64),
      explain: 'A guest in IA-32e mode needs a host in IA-32e mode: clear "IA-32e mode guest".',
    },
    {
      id: id('0-pcide'),
      reads: [HOST_64, 'Host CR4'],
      appliesWhen: is32Bit,
      holds: (state) => !bit(state.word(HOST_CR4), CR4.bits.PCIDE),
      explain: 'The host CR4.PCIDE exists in IA-32e mode only: clear it.',
    },
    {
      id: id('0-rip'),
      reads: [HOST_64, 'Host RIP'],
      appliesWhen: is32Bit,
      holds: (state) => state.high(HOST_RIP) === 0,
      explain: 'Without "host address-space size" bits 63:32 of the host RIP must be 0.',
    },
    {
      id: id('0-fred'),
      reads: [HOST_64, 'Host CR4'],
      appliesWhen: is32Bit,
      holds: (state) => !bit(state.high(HOST_CR4), CR4_FRED_IN_HIGH_HALF),
      explain: 'The host CR4.FRED exists in IA-32e mode only: clear it.',
      note: 'FRED is newer than the pinned revision; Bochs does not check it.',
    },
    {
      id: id('1-pae'),
      reads: [HOST_64, 'Host CR4'],
      appliesWhen: is64Bit,
      holds: (state) => bit(state.word(HOST_CR4), CR4.bits.PAE),
      explain: 'IA-32e mode needs PAE: set CR4.PAE of the host.',
    },
    {
      id: id('1-rip'),
      reads: [HOST_64, 'Host RIP', 'Host CR4'],
      appliesWhen: is64Bit,
      holds: (state) => isCanonical(state.high(HOST_RIP), bit(state.word(HOST_CR4), CR4.bits.LA57) ? 57 : 48),
      explain: 'The host RIP must be a canonical address of the paging that the host CR4 selects.',
      note: 'The manual does not say which width counts; KVM and Bochs take that of the paging in use before the entry.',
    },
  ],
);
