// Checks on the pending debug exceptions of the guest (SDM, "Checks on Guest Non-Register State"), in the manual's order:
// bits 3:0 breakpoints, 11 bus lock, 12 enabled breakpoint, 14 BS, 16 RTM.
import { RFLAGS } from '@retrovisor/core';
import { fieldNamed } from '../../fields.js';
import type { EntryState } from '../entry-state.js';
import type { EntryCheckRow } from './entry-check.js';
import { ACTIVITY_STATE } from './guest-activity.js';
import { BLOCKING } from './guest-interruptibility.js';

const PENDING = fieldNamed('Guest pending debug exceptions');
const ACTIVITY = fieldNamed('Guest activity state');
const INTERRUPTIBILITY = fieldNamed('Guest interruptibility state');
const GUEST_RFLAGS = fieldNamed('Guest RFLAGS');
const DEBUGCTL = fieldNamed('Guest IA32_DEBUGCTL');

const FIELD = 'Guest pending debug exceptions';
const BUS_LOCK = 0x800;
const ENABLED_BREAKPOINT = 0x1000;
const BS = 0x4000;
const RTM = 0x1_0000;
/** Of bits 31:0, without bus lock and RTM. */
const RESERVED = 0xfffe_a7f0;
/** What must be 0 with RTM, of bits 31:0. */
const EXCLUDED_BY_RTM = 0xfffe_efff;
/** IA32_DEBUGCTL.BTF. */
const BTF = 2;

const id = (check: string) => `vmx.entry.guest.pdb.${check}` as const;

/** The guest has just executed STI, MOV SS or HLT, after which TF makes a single step pending. */
const isAfterBlockingInstruction = (state: EntryState): boolean =>
  (state.word(INTERRUPTIBILITY) & (BLOCKING.STI | BLOCKING['MOV SS'])) !== 0 ||
  state.word(ACTIVITY) === ACTIVITY_STATE.HLT;

export const pendingDebugChecks: readonly EntryCheckRow[] = [
  {
    id: id('reserved'),
    reads: [FIELD],
    holds: (state) => {
      const reserved = state.processor.has('bus-lock detection') ? RESERVED : RESERVED | BUS_LOCK;
      return (state.word(PENDING) & reserved) === 0 && state.high(PENDING) === 0;
    },
    explain:
      'Bits 63:17, 15, 13 and 11:4 of the pending debug exceptions must be 0; 11 may be 1 with bus-lock detection.',
    note: 'Bochs refuses bit 16, RTM, too.',
  },
  {
    id: id('bs-tf'),
    reads: ['Guest interruptibility state', 'Guest activity state', 'Guest RFLAGS', 'Guest IA32_DEBUGCTL', FIELD],
    appliesWhen: isAfterBlockingInstruction,
    holds: (state) => {
      const steps = ((state.word(GUEST_RFLAGS) >>> RFLAGS.bits.TF) & 1) === 1 && (state.word(DEBUGCTL) & BTF) === 0;
      return ((state.word(PENDING) & BS) !== 0) === steps;
    },
    explain: 'After STI, MOV SS and HLT, BS (bit 14) must be 1 if RFLAGS.TF is 1 and IA32_DEBUGCTL.BTF 0, and else 0.',
    note: 'Bochs does not check it.',
  },
  {
    id: id('rtm'),
    reads: [FIELD, 'Guest interruptibility state'],
    appliesWhen: (state) => (state.word(PENDING) & RTM) !== 0,
    holds: (state) =>
      (state.word(PENDING) & EXCLUDED_BY_RTM) === 0 &&
      (state.word(PENDING) & ENABLED_BREAKPOINT) !== 0 &&
      state.high(PENDING) === 0 &&
      state.processor.has('RTM') &&
      (state.word(INTERRUPTIBILITY) & BLOCKING['MOV SS']) === 0,
    explain: 'Bit 16, RTM, needs a processor with RTM, bit 12, no other bit, and no blocking by MOV SS.',
    note: 'Bochs does not check it.',
  },
];
