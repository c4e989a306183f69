// Checks on the host-state area (SDM, "Checks on Host Control Registers, MSRs, and SSP"), in the manual's order.
import { CR0, CR4, EFER, sdm } from '@retrovisor/core';
import { type Control, Exit, SecondaryExit } from '../../controls.js';
import { type FieldName, fieldNamed } from '../../fields.js';
import type { EntryState } from '../entry-state.js';
import { fitsWidth, hasCanonicalAddress } from './address.js';
import { fixedBitsHold } from './control-register.js';
import { defineEntryChecks, type EntryCheckRow, INVALID_HOST_STATE } from './entry-check.js';
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

const HOST_CR0 = fieldNamed('Host CR0');
const HOST_CR3 = fieldNamed('Host CR3');
const HOST_CR4 = fieldNamed('Host CR4');
const HOST_EFER = fieldNamed('Host IA32_EFER');
const HOST_SSP = fieldNamed('Host SSP');
const FRED_CONFIG = fieldNamed('Host IA32_FRED_CONFIG');

const id = (check: string) => `vmx.entry.host.${check}` as const;
const bit = (value: number, number: number): boolean => ((value >>> number) & 1) === 1;
const is = (control: Control) => (state: EntryState) => state.control(control);

const registers: readonly EntryCheckRow[] = [
  {
    id: id('cr0-fixed'),
    reads: ['Host CR0'],
    holds: (state) => fixedBitsHold(state, HOST_CR0, 'CR0'),
    explain: 'The host CR0 must have the bits that IA32_VMX_CR0_FIXED0 and FIXED1 fix in VMX operation.',
    note: 'CR0.NW and CR0.CD are not checked: an exit leaves them as they are.',
  },
  {
    id: id('cr4-fixed'),
    reads: ['Host CR4'],
    holds: (state) => fixedBitsHold(state, HOST_CR4, 'CR4'),
    explain: 'The host CR4 must have the bits that IA32_VMX_CR4_FIXED0 and FIXED1 fix in VMX operation.',
  },
  {
    id: id('cet-wp'),
    reads: ['Host CR4', 'Host CR0'],
    appliesWhen: (state) => bit(state.word(HOST_CR4), CR4.bits.CET),
    holds: (state) => bit(state.word(HOST_CR0), CR0.bits.WP),
    explain: 'The host CR4.CET needs CR0.WP: set that too or clear CET.',
    note: 'Bochs checks it with "load CET state" only.',
  },
  {
    id: id('cr3-width'),
    reads: ['Host CR3'],
    holds: (state) => fitsWidth(state.high(HOST_CR3), state.processor.physicalAddressWidth),
    explain: 'The host CR3 must be within the physical-address width.',
  },
  canonicalFields(id('sysenter-canonical'), ['Host IA32_SYSENTER_ESP', 'Host IA32_SYSENTER_EIP']),
];

const efer: readonly EntryCheckRow[] = [
  noReservedBits(id('efer-reserved'), 'Host IA32_EFER', 'IA32_EFER', Exit['load IA32_EFER']),
  {
    id: id('efer-lma-lme'),
    reads: [Exit['load IA32_EFER'], Exit['host address-space size'], 'Host IA32_EFER'],
    appliesWhen: is(Exit['load IA32_EFER']),
    holds: (state) => {
      const is64Bit = state.control(Exit['host address-space size']);
      const value = state.word(HOST_EFER);
      return bit(value, EFER.bits.LMA) === is64Bit && bit(value, EFER.bits.LME) === is64Bit;
    },
    explain: 'IA32_EFER.LMA and IA32_EFER.LME of the host must both be equal to "host address-space size".',
  },
];

const CET = Exit['load CET state'];

const cet: readonly EntryCheckRow[] = [
  supervisorCet(id('s-cet'), 'Host IA32_S_CET', CET),
  {
    id: id('ssp'),
    reads: [CET, Exit['host address-space size'], 'Host SSP'],
    appliesWhen: is(CET),
    holds: (state) => {
      if ((state.word(HOST_SSP) & 3) !== 0) return false;
      return state.control(Exit['host address-space size'])
        ? hasCanonicalAddress(state, HOST_SSP)
        : state.high(HOST_SSP) === 0;
    },
    explain:
      'Bits 1:0 of the host SSP must be 0, and the address canonical, or 32 bits for a host without 64-bit mode.',
  },
  canonicalFields(id('isst'), ['Host IA32_INTERRUPT_SSP_TABLE_ADDR'], CET),
];

const FRED = SecondaryExit['load FRED'];

const stacks = (check: string, pointer: 'RSP' | 'SSP', mask: number): EntryCheckRow => {
  const names: readonly FieldName[] = fredStacks('Host', pointer);
  return {
    id: id(check),
    reads: [FRED, ...names],
    appliesWhen: is(FRED),
    holds: (state) => alignedCanonical(state, names, mask),
    explain: `${names.join(', ')} must be canonical and ${mask + 1}-byte aligned.`,
    note: FRED_NOTE,
  };
};

export const hostControlRegisterChecks = defineEntryChecks(
  sdm('Checks on Host Control Registers, MSRs, and SSP'),
  INVALID_HOST_STATE,
  [
    ...registers,
    noReservedBits(
      id('perf-global'),
      'Host IA32_PERF_GLOBAL_CTRL',
      'IA32_PERF_GLOBAL_CTRL',
      Exit['load IA32_PERF_GLOBAL_CTRL'],
      'Bochs does not check it.',
    ),
    patTypes(id('pat'), 'Host IA32_PAT', Exit['load IA32_PAT']),
    ...efer,
    ...cet,
    noUpperHalf(id('pkrs'), 'Host IA32_PKRS', Exit['load PKRS']),
    {
      id: id('fred-config'),
      reads: [FRED, 'Host IA32_FRED_CONFIG'],
      appliesWhen: is(FRED),
      holds: (state) =>
        (state.word(FRED_CONFIG) & state.processor.reserved('IA32_FRED_CONFIG').low) === 0 &&
        hasCanonicalAddress(state, FRED_CONFIG),
      explain: 'The host IA32_FRED_CONFIG must have no reserved bit and a canonical address.',
      note: FRED_NOTE,
    },
    stacks('fred-rsp', 'RSP', 0x3f),
    stacks('fred-ssp', 'SSP', 7),
    noReservedBits(
      id('spec-ctrl'),
      'Host IA32_SPEC_CTRL',
      'IA32_SPEC_CTRL',
      SecondaryExit['load host IA32_SPEC_CTRL'],
      'Newer than the pinned revision: the rule is that of Bochs.',
    ),
  ],
);
