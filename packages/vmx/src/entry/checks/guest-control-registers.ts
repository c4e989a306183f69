// Checks on the guest-state area (SDM, "Checks on Guest Control Registers, Debug Registers, and MSRs"), in the manual's
// order.
import { CR0, CR4, EFER, sdm } from '@retrovisor/core';
import { type Control, Entry, Secondary } from '../../controls.js';
import { type FieldName, fieldNamed } from '../../fields.js';
import type { EntryState } from '../entry-state.js';
import { fitsWidth, hasCanonicalAddress } from './address.js';
import { fixedBitsHold } from './control-register.js';
import { defineEntryChecks, type EntryCheckRow, INVALID_GUEST_STATE } from './entry-check.js';
import {
  alignedCanonical,
  canonicalFields,
  FRED_NOTE,
  fredStacks,
  noReservedBits,
  noUpperHalf,
  patTypes,
  supervisorCet,
} from './msr-field.js';

const GUEST_CR0 = fieldNamed('Guest CR0');
const GUEST_CR3 = fieldNamed('Guest CR3');
const GUEST_CR4 = fieldNamed('Guest CR4');
const GUEST_EFER = fieldNamed('Guest IA32_EFER');
const BNDCFGS = fieldNamed('Guest IA32_BNDCFGS');
const UINV = fieldNamed('Guest UINV');
const FRED_CONFIG = fieldNamed('Guest IA32_FRED_CONFIG');
const IA_32E = Entry['IA-32e mode guest'];
const UNRESTRICTED = Secondary['unrestricted guest'];
const PAGED_PROTECTED = (1 << CR0.bits.PE) | (1 << CR0.bits.PG);
/** Of CR4: bit 32. */
const FRED_IN_HIGH_HALF = 0;

const id = (check: string) => `vmx.entry.guest.${check}` as const;
const bit = (value: number, number: number): boolean => ((value >>> number) & 1) === 1;
const is = (control: Control) => (state: EntryState) => state.control(control);

const controlRegisters: readonly EntryCheckRow[] = [
  {
    id: id('cr0.fixed'),
    reads: [UNRESTRICTED, 'Guest CR0'],
    holds: (state) => fixedBitsHold(state, GUEST_CR0, 'CR0', state.control(UNRESTRICTED) ? PAGED_PROTECTED : 0),
    explain:
      'The guest CR0 must have the bits that IA32_VMX_CR0_FIXED0 and FIXED1 fix; PE and PG may be 0 with "unrestricted guest".',
    note: 'CR0.NW and CR0.CD are not checked: an entry leaves them as they are.',
  },
  {
    id: id('cr0.pg-pe'),
    reads: ['Guest CR0'],
    appliesWhen: (state) => bit(state.word(GUEST_CR0), CR0.bits.PG),
    holds: (state) => bit(state.word(GUEST_CR0), CR0.bits.PE),
    explain: 'Paging needs protected mode: set CR0.PE of the guest or clear CR0.PG.',
    note: 'Only "unrestricted guest" lets CR0.PE be 0 at all.',
  },
  {
    id: id('cr4.fixed'),
    reads: ['Guest CR4'],
    holds: (state) => fixedBitsHold(state, GUEST_CR4, 'CR4'),
    explain: 'The guest CR4 must have the bits that IA32_VMX_CR4_FIXED0 and FIXED1 fix: VMXE, whatever the guest sees.',
    note: 'Bochs ends the entry with VMfail here.',
  },
  {
    id: id('cr4.cet-wp'),
    reads: ['Guest CR4', 'Guest CR0'],
    appliesWhen: (state) => bit(state.word(GUEST_CR4), CR4.bits.CET),
    holds: (state) => bit(state.word(GUEST_CR0), CR0.bits.WP),
    explain: 'The guest CR4.CET needs CR0.WP: set that too or clear CET.',
  },
  noReservedBits(
    id('debugctl'),
    'Guest IA32_DEBUGCTL',
    'IA32_DEBUGCTL',
    Entry['load debug controls'],
    'Bochs does not check it.',
  ),
  {
    id: id('cr0.pg-ia32e'),
    reads: [IA_32E, 'Guest CR0'],
    appliesWhen: is(IA_32E),
    holds: (state) => bit(state.word(GUEST_CR0), CR0.bits.PG),
    explain: 'A guest in IA-32e mode has paging: set CR0.PG of the guest or clear "IA-32e mode guest".',
    note: 'Bochs does not check it.',
  },
  {
    id: id('cr4.pae-ia32e'),
    reads: [IA_32E, 'Guest CR4'],
    appliesWhen: is(IA_32E),
    holds: (state) => bit(state.word(GUEST_CR4), CR4.bits.PAE),
    explain: 'A guest in IA-32e mode has PAE: set CR4.PAE of the guest or clear "IA-32e mode guest".',
  },
  {
    id: id('cr4.pcide'),
    reads: [IA_32E, 'Guest CR4'],
    appliesWhen: (state) => !state.control(IA_32E),
    holds: (state) => !bit(state.word(GUEST_CR4), CR4.bits.PCIDE),
    explain: 'The guest CR4.PCIDE exists in IA-32e mode only: clear it or set "IA-32e mode guest".',
  },
  {
    id: id('cr4.fred'),
    reads: [IA_32E, 'Guest CR4'],
    appliesWhen: (state) => !state.control(IA_32E),
    holds: (state) => !bit(state.high(GUEST_CR4), FRED_IN_HIGH_HALF),
    explain: 'The guest CR4.FRED exists in IA-32e mode only: clear it or set "IA-32e mode guest".',
    note: FRED_NOTE,
  },
  {
    id: id('cr3-width'),
    reads: ['Guest CR3'],
    holds: (state) => fitsWidth(state.high(GUEST_CR3), state.processor.physicalAddressWidth),
    explain: 'The guest CR3 must be within the physical-address width.',
  },
  noUpperHalf(id('dr7-hi'), 'Guest DR7', Entry['load debug controls']),
  canonicalFields(id('sysenter-canonical'), ['Guest IA32_SYSENTER_ESP', 'Guest IA32_SYSENTER_EIP']),
];

const LOAD_EFER = Entry['load IA32_EFER'];

const efer: readonly EntryCheckRow[] = [
  noReservedBits(id('efer-reserved'), 'Guest IA32_EFER', 'IA32_EFER', LOAD_EFER),
  {
    id: id('efer-lma-ia32e'),
    reads: [LOAD_EFER, IA_32E, 'Guest IA32_EFER'],
    appliesWhen: is(LOAD_EFER),
    holds: (state) => bit(state.word(GUEST_EFER), EFER.bits.LMA) === state.control(IA_32E),
    explain: 'IA32_EFER.LMA of the guest must be equal to "IA-32e mode guest".',
  },
  {
    id: id('efer-lma-lme'),
    reads: [LOAD_EFER, 'Guest IA32_EFER', 'Guest CR0'],
    appliesWhen: (state) => state.control(LOAD_EFER) && bit(state.word(GUEST_CR0), CR0.bits.PG),
    holds: (state) => bit(state.word(GUEST_EFER), EFER.bits.LMA) === bit(state.word(GUEST_EFER), EFER.bits.LME),
    explain: 'With paging IA32_EFER.LMA and IA32_EFER.LME of the guest must be equal.',
  },
];

const BNDCFGS_BASE = 0xffc;

const features: readonly EntryCheckRow[] = [
  {
    id: id('bndcfgs'),
    reads: [Entry['load IA32_BNDCFGS'], 'Guest IA32_BNDCFGS'],
    appliesWhen: is(Entry['load IA32_BNDCFGS']),
    holds: (state) => (state.word(BNDCFGS) & BNDCFGS_BASE) === 0 && hasCanonicalAddress(state, BNDCFGS),
    explain: 'Bits 11:2 of the guest IA32_BNDCFGS must be 0 and the base in bits 63:12 canonical.',
    note: 'Bochs does not check it.',
  },
  noReservedBits(
    id('rtit-ctl'),
    'Guest IA32_RTIT_CTL',
    'IA32_RTIT_CTL',
    Entry['load IA32_RTIT_CTL'],
    'Reserved are the bits that CPUID leaf 14H does not report; encodings inside a field are not checked.',
  ),
  {
    id: id('rtit-traceen'),
    reads: [Entry['load IA32_RTIT_CTL']],
    places: () => [], // Intel PT is not modelled: IA32_RTIT_CTL is no location
    appliesWhen: (state) => state.isTracing,
    holds: (state) => !state.control(Entry['load IA32_RTIT_CTL']),
    explain: 'While Intel PT traces, "load IA32_RTIT_CTL" must be 0: clear IA32_RTIT_CTL.TraceEn before the entry.',
    note: 'The manual lists it among the checks of the host; Bochs does not check it.',
  },
  noReservedBits(
    id('lbr-ctl'),
    'Guest IA32_LBR_CTL',
    'IA32_LBR_CTL',
    Entry['load guest IA32_LBR_CTL'],
    'Bochs does not check it.',
  ),
  noUpperHalf(id('pkrs'), 'Guest IA32_PKRS', Entry['load PKRS']),
  {
    id: id('uinv'),
    reads: [Entry['load UINV'], 'Guest UINV'],
    appliesWhen: is(Entry['load UINV']),
    holds: (state) => state.word(UINV) <= 0xff,
    explain: 'The guest UINV is a vector, 0 to 255: bits 15:8 must be 0.',
  },
];

const CET = Entry['load CET state'];
const FRED = Entry['load FRED'];
const FRED_RSPS = fredStacks('Guest', 'RSP');
const FRED_SSPS = fredStacks('Guest', 'SSP');
const FRED_FIELDS: readonly FieldName[] = ['Guest IA32_FRED_CONFIG', ...FRED_RSPS, ...FRED_SSPS];

const newerMsrs: readonly EntryCheckRow[] = [
  supervisorCet(id('s-cet'), 'Guest IA32_S_CET', CET),
  canonicalFields(id('isst'), ['Guest IA32_INTERRUPT_SSP_TABLE_ADDR'], CET),
  {
    id: id('fred'),
    reads: [FRED, ...FRED_FIELDS],
    appliesWhen: is(FRED),
    holds: (state) =>
      (state.word(FRED_CONFIG) & state.processor.reserved('IA32_FRED_CONFIG').low) === 0 &&
      hasCanonicalAddress(state, FRED_CONFIG) &&
      alignedCanonical(state, FRED_RSPS, 0x3f) &&
      alignedCanonical(state, FRED_SSPS, 7),
    explain: 'The MSRs of FRED must have no reserved bit, canonical addresses, and aligned stack pointers.',
    note: FRED_NOTE,
  },
  noReservedBits(
    id('spec-ctrl'),
    'Guest IA32_SPEC_CTRL',
    'IA32_SPEC_CTRL',
    Entry['load guest IA32_SPEC_CTRL'],
    'Newer than the pinned revision: the rule is that of Bochs.',
  ),
];

export const guestControlRegisterChecks = defineEntryChecks(
  sdm('Checks on Guest Control Registers, Debug Registers, and MSRs'),
  INVALID_GUEST_STATE,
  [
    ...controlRegisters,
    noReservedBits(
      id('perf-global'),
      'Guest IA32_PERF_GLOBAL_CTRL',
      'IA32_PERF_GLOBAL_CTRL',
      Entry['load IA32_PERF_GLOBAL_CTRL'],
      'Bochs does not check it.',
    ),
    patTypes(id('pat'), 'Guest IA32_PAT', Entry['load IA32_PAT']),
    ...efer,
    ...features,
    ...newerMsrs,
  ],
);
