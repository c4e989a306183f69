// Checks on the guest's state outside registers (SDM, "Checks on Guest Non-Register State"), in the manual's order: the
// activity state, the interruptibility state, pending debug exceptions, and the VMCS link pointer.
import { sdm } from '@retrovisor/core';
import { VMX_BASIC } from '../../capability-bits.js';
import { Entry, Secondary } from '../../controls.js';
import { fieldNamed } from '../../fields.js';
import { SHADOW_VMCS_INDICATOR } from '../../vmcs-region.js';
import { type EntryState, wholeField } from '../entry-state.js';
import { fitsWidth, hasStructureAddress } from './address.js';
import { defineEntryChecks, type EntryCheckRow, INVALID_GUEST_STATE, INVALID_LINK_POINTER } from './entry-check.js';
import { activityChecks } from './guest-activity.js';
import { interruptibilityChecks } from './guest-interruptibility.js';
import { pendingDebugChecks } from './guest-pending-debug.js';

const LINK = fieldNamed('VMCS link pointer');
const EXECUTIVE = fieldNamed('Executive-VMCS pointer');
const SHADOWING = Secondary['VMCS shadowing'];
const SMM = Entry['entry to SMM'];
const PAGE = 4096;
const NONE = 0xffff_ffff;

const id = (check: string) => `vmx.entry.guest.link.${check}` as const;

/** Not FFFFFFFF_FFFFFFFFH, which says that there is none. */
const isLinked = (state: EntryState): boolean => state.word(LINK) !== NONE || state.high(LINK) !== NONE;
const pointsToRegion = (state: EntryState): boolean => isLinked(state) && hasStructureAddress(state, LINK, PAGE);

const regionLocation = (state: EntryState): readonly string[] =>
  pointsToRegion(state) ? [`[0x${wholeField(state, LINK).toString(16)}+4]`] : [];
const firstDoubleword = (state: EntryState): bigint => state.memory(wholeField(state, LINK), 4);

const linkPointerChecks: readonly EntryCheckRow[] = [
  {
    id: id('align'),
    reads: ['VMCS link pointer'],
    appliesWhen: isLinked,
    holds: (state) => (state.word(LINK) & (PAGE - 1)) === 0,
    explain: 'The VMCS link pointer must be 4-KByte aligned, or FFFFFFFF_FFFFFFFFH for none.',
  },
  {
    id: id('width'),
    reads: ['VMCS link pointer'],
    appliesWhen: isLinked,
    holds: (state) => fitsWidth(state.high(LINK), state.processor.structureAddressWidth),
    explain: 'The VMCS link pointer must be within the physical-address width, or FFFFFFFF_FFFFFFFFH for none.',
  },
  {
    id: id('revision'),
    reads: ['VMCS link pointer'],
    places: regionLocation,
    appliesWhen: pointsToRegion,
    holds: (state) => {
      const { low } = state.processor.capability('IA32_VMX_BASIC');
      const expected = VMX_BASIC.read(BigInt(low), 'VMCS revision identifier');
      return (firstDoubleword(state) & ~SHADOW_VMCS_INDICATOR) === BigInt(expected);
    },
    explain: 'Bits 30:0 of the linked VMCS must be the VMCS revision identifier of IA32_VMX_BASIC.',
  },
  {
    id: id('shadow-bit'),
    reads: ['VMCS link pointer', SHADOWING],
    places: regionLocation,
    appliesWhen: pointsToRegion,
    holds: (state) => ((firstDoubleword(state) & SHADOW_VMCS_INDICATOR) !== 0n) === state.control(SHADOWING),
    explain: 'Bit 31 of the linked VMCS, the shadow-VMCS indicator, must be equal to "VMCS shadowing".',
  },
  {
    id: id('not-current'),
    reads: ['VMCS link pointer', SMM],
    places: () => ['slice/vmx/currentVmcs'],
    appliesWhen: (state) => isLinked(state) && (!state.inSmm || state.control(SMM)),
    holds: (state) => wholeField(state, LINK) !== state.currentVmcs,
    explain: 'The VMCS link pointer must not be the current VMCS.',
  },
  {
    id: id('not-executive'),
    reads: ['VMCS link pointer', SMM, 'Executive-VMCS pointer'],
    places: () => [], // SMM is no location: the machine has none
    appliesWhen: (state) => isLinked(state) && state.inSmm && !state.control(SMM),
    holds: (state) => state.word(LINK) !== state.word(EXECUTIVE) || state.high(LINK) !== state.high(EXECUTIVE),
    explain: 'In SMM the VMCS link pointer must not be the executive VMCS.',
    note: 'Bochs, as older revisions, compares with the VMXON pointer.',
  },
];

export const guestNonRegisterStateChecks = defineEntryChecks(
  sdm('Checks on Guest Non-Register State'),
  INVALID_GUEST_STATE,
  [
    ...activityChecks,
    ...interruptibilityChecks,
    ...pendingDebugChecks,
    ...linkPointerChecks.map((row) => ({ ...row, result: INVALID_LINK_POINTER })),
  ],
);
