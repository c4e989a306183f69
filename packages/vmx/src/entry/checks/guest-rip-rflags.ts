// Checks on RIP, RFLAGS and SSP of the guest (SDM, "Checks on Guest RIP, RFLAGS, and SSP"), in the manual's order.
import { CR0, RFLAGS, sdm } from '@retrovisor/core';
import { Entry } from '../../controls.js';
import { fieldNamed } from '../../fields.js';
import type { EntryState } from '../entry-state.js';
import { ACCESS_RIGHTS, accessRights } from '../guest-segments.js';
import { injects } from '../injected-event.js';
import { extendsBit63, hasCanonicalAddress } from './address.js';
import { defineEntryChecks, INVALID_GUEST_STATE } from './entry-check.js';

const RIP = fieldNamed('Guest RIP');
const GUEST_RFLAGS = fieldNamed('Guest RFLAGS');
const GUEST_CR0 = fieldNamed('Guest CR0');
const SSP = fieldNamed('Guest SSP');
const IA_32E = Entry['IA-32e mode guest'];
const CET = Entry['load CET state'];
/** Of bits 31:0. */
const RESERVED = 0xffc0_8028;
const FIXED = 2;

const id = (check: string) => `vmx.entry.guest.${check}` as const;
const bit = (value: number, number: number): boolean => ((value >>> number) & 1) === 1;

/** The guest will be in 64-bit mode. */
const is64BitMode = (state: EntryState): boolean =>
  state.control(IA_32E) && (accessRights(state, 'CS') & ACCESS_RIGHTS.L) !== 0;

export const guestRipRflagsChecks = defineEntryChecks(
  sdm('Checks on Guest RIP, RFLAGS, and SSP'),
  INVALID_GUEST_STATE,
  [
    {
      id: id('rip.hi'),
      reads: [IA_32E, 'Guest CS access rights', 'Guest RIP'],
      appliesWhen: (state) => !is64BitMode(state),
      holds: (state) => state.high(RIP) === 0,
      explain: 'Bits 63:32 of the guest RIP must be 0 outside 64-bit mode.',
    },
    {
      id: id('rip.canonical'),
      reads: [IA_32E, 'Guest CS access rights', 'Guest RIP'],
      appliesWhen: is64BitMode,
      holds: (state) => extendsBit63(state.high(RIP), state.processor.linearAddressWidth),
      explain: 'Bits of the guest RIP beyond the linear-address width must all be equal.',
      note: 'This is weaker than canonical: the highest bit of the width itself may differ. Bochs does not check it.',
    },
    {
      id: id('rflags.reserved'),
      reads: ['Guest RFLAGS'],
      holds: (state) =>
        (state.word(GUEST_RFLAGS) & RESERVED) === 0 &&
        (state.word(GUEST_RFLAGS) & FIXED) !== 0 &&
        state.high(GUEST_RFLAGS) === 0,
      explain: 'Bits 63:22, 15, 5 and 3 of the guest RFLAGS must be 0 and bit 1 must be 1.',
    },
    {
      id: id('rflags.vm-ia32e'),
      reads: [IA_32E, 'Guest RFLAGS'],
      appliesWhen: (state) => state.control(IA_32E),
      holds: (state) => !bit(state.word(GUEST_RFLAGS), RFLAGS.bits.VM),
      explain: 'There is no virtual-8086 mode in IA-32e mode: clear RFLAGS.VM of the guest.',
    },
    {
      id: id('rflags.vm-pe'),
      reads: ['Guest CR0', 'Guest RFLAGS'],
      appliesWhen: (state) => !bit(state.word(GUEST_CR0), CR0.bits.PE),
      holds: (state) => !bit(state.word(GUEST_RFLAGS), RFLAGS.bits.VM),
      explain: 'There is no virtual-8086 mode in real-address mode: clear RFLAGS.VM of the guest.',
      note: 'Bochs does not check it.',
    },
    {
      id: id('rflags.if-extint'),
      reads: ['VM-entry interruption-information field', 'Guest RFLAGS'],
      appliesWhen: (state) => injects(state, 'externalInterrupt'),
      holds: (state) => bit(state.word(GUEST_RFLAGS), RFLAGS.bits.IF),
      explain: 'RFLAGS.IF of the guest must be 1 to inject an external interrupt: wait for an interrupt window.',
    },
    {
      id: id('ssp'),
      reads: [CET, IA_32E, 'Guest CS access rights', 'Guest SSP'],
      appliesWhen: (state) => state.control(CET),
      holds: (state) => {
        if ((state.word(SSP) & 3) !== 0) return false;
        return is64BitMode(state) ? hasCanonicalAddress(state, SSP) : state.high(SSP) === 0;
      },
      explain: 'Bits 1:0 of the guest SSP must be 0, and the address canonical, or 32 bits outside 64-bit mode.',
    },
  ],
);
