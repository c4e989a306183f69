// Checks on the interruptibility state of the guest (SDM, "Checks on Guest Non-Register State"), in the manual's order.
import { RFLAGS } from '@retrovisor/core';
import { Entry, PinBased } from '../../controls.js';
import { fieldNamed } from '../../fields.js';
import type { EntryState } from '../entry-state.js';
import { accessRights, dplOf } from '../guest-segments.js';
import { injects } from '../injected-event.js';
import { type EntryCheckRow, INVALID_NMI_INJECTION } from './entry-check.js';

const INTERRUPTIBILITY = fieldNamed('Guest interruptibility state');
const GUEST_RFLAGS = fieldNamed('Guest RFLAGS');
const GUEST_CR4 = fieldNamed('Guest CR4');
const STATE = 'Guest interruptibility state';
const INFORMATION = 'VM-entry interruption-information field';
const SMM = Entry['entry to SMM'];
/** Of CR4: bit 32. */
const FRED_IN_HIGH_HALF = 0;

/** Bits of the interruptibility-state field. */
export const BLOCKING = { STI: 1, 'MOV SS': 2, SMI: 4, NMI: 8, enclave: 16 } as const;

const id = (check: string) => `vmx.entry.guest.int.${check}` as const;
const isBlocked = (state: EntryState, by: keyof typeof BLOCKING): boolean =>
  (state.word(INTERRUPTIBILITY) & BLOCKING[by]) !== 0;

const general: readonly EntryCheckRow[] = [
  {
    id: id('reserved'),
    reads: [STATE],
    holds: (state) => state.word(INTERRUPTIBILITY) >>> 5 === 0,
    explain: 'Bits 31:5 of the interruptibility state must be 0.',
    note: 'Bochs refuses bit 4, enclave interruption, too.',
  },
  {
    id: id('sti-movss'),
    reads: [STATE],
    holds: (state) => !(isBlocked(state, 'STI') && isBlocked(state, 'MOV SS')),
    explain: 'The guest cannot be blocked by STI and by MOV SS at once: clear bit 0 or bit 1.',
  },
  {
    id: id('sti-if'),
    reads: [STATE, 'Guest RFLAGS'],
    appliesWhen: (state) => ((state.word(GUEST_RFLAGS) >>> RFLAGS.bits.IF) & 1) === 0,
    holds: (state) => !isBlocked(state, 'STI'),
    explain: 'Blocking by STI needs RFLAGS.IF: set that or clear bit 0.',
  },
];

const injection: readonly EntryCheckRow[] = [
  {
    id: id('extint-sti-movss'),
    reads: [INFORMATION, STATE],
    appliesWhen: (state) => injects(state, 'externalInterrupt'),
    holds: (state) => !isBlocked(state, 'STI') && !isBlocked(state, 'MOV SS'),
    explain: 'An external interrupt cannot be injected while STI or MOV SS blocks it: wait for an interrupt window.',
  },
  {
    id: id('nmi-movss'),
    reads: [INFORMATION, STATE],
    appliesWhen: (state) => injects(state, 'nmi'),
    holds: (state) => !isBlocked(state, 'MOV SS'),
    explain: 'An NMI cannot be injected while MOV SS blocks it.',
  },
  {
    id: id('nmi-sti'),
    reads: [INFORMATION, STATE],
    appliesWhen: (state) => injects(state, 'nmi'),
    holds: (state) => !isBlocked(state, 'STI'),
    result: INVALID_NMI_INJECTION,
    explain: 'An NMI cannot be injected while STI blocks events.',
    note: 'A processor may require this or not; the one here does. Bochs does too, with exit qualification 0.',
  },
  {
    id: id('nmi-blocked'),
    reads: [PinBased['virtual NMIs'], INFORMATION, STATE],
    appliesWhen: (state) => state.control(PinBased['virtual NMIs']) && injects(state, 'nmi'),
    holds: (state) => !isBlocked(state, 'NMI'),
    explain: 'With "virtual NMIs" an NMI cannot be injected while virtual NMIs are blocked: wait for an NMI window.',
  },
];

const modes: readonly EntryCheckRow[] = [
  {
    id: id('smi-outside'),
    reads: [STATE],
    places: () => [], // SMM is no location: the machine has none
    appliesWhen: (state) => !state.inSmm,
    holds: (state) => !isBlocked(state, 'SMI'),
    explain: 'Blocking by SMI, bit 2, exists in SMM only.',
  },
  {
    id: id('smi-entry'),
    reads: [SMM, STATE],
    appliesWhen: (state) => state.control(SMM),
    holds: (state) => isBlocked(state, 'SMI'),
    explain: 'An entry to SMM must block SMIs: set bit 2.',
  },
  {
    id: id('enclave'),
    reads: [STATE],
    appliesWhen: (state) => isBlocked(state, 'enclave'),
    holds: (state) => !isBlocked(state, 'MOV SS') && state.processor.has('SGX'),
    explain: 'Enclave interruption, bit 4, needs a processor with SGX and excludes blocking by MOV SS.',
    note: 'Bochs does not check it.',
  },
  {
    id: id('fred-sti'),
    reads: ['Guest CR4', 'Guest SS access rights', STATE],
    appliesWhen: (state) =>
      ((state.high(GUEST_CR4) >>> FRED_IN_HIGH_HALF) & 1) === 1 && dplOf(accessRights(state, 'SS')) === 3,
    holds: (state) => !isBlocked(state, 'STI'),
    explain: 'With CR4.FRED and CPL 3 the guest cannot be blocked by STI: clear bit 0.',
    note: 'FRED is newer than the pinned revision: the rule is that of Bochs.',
  },
];

export const interruptibilityChecks: readonly EntryCheckRow[] = [...general, ...injection, ...modes];
