// Checks on the event that an entry injects (SDM, "VM-Entry Control Fields"), in the manual's order. Whether the guest
// may take it is a question of its state: guest-rip-rflags.ts and guest-non-register-state.ts.
import { CR0 } from '@retrovisor/core';
import { Entry, Primary, Secondary } from '../../controls.js';
import { fieldNamed } from '../../fields.js';
import type { EntryProcessor } from '../entry-processor.js';
import type { EntryState } from '../entry-state.js';
import {
  EVENT_TYPE,
  INTERRUPTION_INFORMATION,
  type InjectedEvent,
  injectedEvent,
  injects,
  injectsEvent,
} from '../injected-event.js';
import type { EntryCheckRow } from './entry-check.js';

const INFORMATION = 'VM-entry interruption-information field';
const ERROR_CODE = fieldNamed('VM-entry exception error code');
const LENGTH = fieldNamed('VM-entry instruction length');
const GUEST_CR0 = fieldNamed('Guest CR0');

/** #DF, #TS, #NP, #SS, #GP, #PF, #AC. */
const WITH_ERROR_CODE: ReadonlySet<number> = new Set([8, 10, 11, 12, 13, 14, 17]);

const hasFred = ({ allowed }: EntryProcessor) => isAllowed(allowed, Entry['load FRED']);
const hasMonitorTrapFlag = ({ allowed }: EntryProcessor) => isAllowed(allowed, Primary['monitor trap flag']);

function isAllowed(allowed: EntryProcessor['allowed'], { group, bit }: (typeof Entry)['load FRED']): boolean {
  return ((allowed(group).mayBeOne.low >>> bit) & 1) === 1;
}

/** Bits of IA32_VMX_BASIC and IA32_VMX_MISC. */
const deliversAnyErrorCode = (processor: EntryProcessor) =>
  ((processor.capability('IA32_VMX_BASIC').high >>> 24) & 1) === 1;
const allowsLengthZero = (processor: EntryProcessor) => ((processor.capability('IA32_VMX_MISC').low >>> 30) & 1) === 1;

/** SYSCALL and SYSENTER, which FRED delivers as events of type 7 with vectors 1 and 2. */
const isFredSystemCall = (state: EntryState, { type, vector }: InjectedEvent) =>
  hasFred(state.processor) && type === EVENT_TYPE.otherEvent && (vector === 1 || vector === 2);

const SOFTWARE: ReadonlySet<number> = new Set([
  EVENT_TYPE.softwareInterrupt,
  EVENT_TYPE.privilegedSoftwareException,
  EVENT_TYPE.softwareException,
]);

/** With "unrestricted guest" a guest in real-address mode, where exceptions have no error codes. */
const isRealMode = (state: EntryState) =>
  state.control(Secondary['unrestricted guest']) && ((state.word(GUEST_CR0) >>> CR0.bits.PE) & 1) === 0;

/** A claim about a valid event. */
const row = (
  check: string,
  claim: (event: InjectedEvent, state: EntryState) => boolean,
  explain: string,
  rest: Partial<EntryCheckRow> = {},
): EntryCheckRow => ({
  id: `vmx.entry.ctl.entry.inject.${check}`,
  reads: [INFORMATION],
  appliesWhen: injectsEvent,
  holds: (state) => claim(injectedEvent(state), state),
  explain,
  ...rest,
});

export const eventInjectionChecks: readonly EntryCheckRow[] = [
  row(
    'type',
    ({ type }, { processor }) =>
      type !== EVENT_TYPE.reserved &&
      (type !== EVENT_TYPE.otherEvent || hasMonitorTrapFlag(processor) || hasFred(processor)),
    'The interruption type must not be 1, nor 7 on a processor without "monitor trap flag".',
  ),
  row(
    'vector-nmi',
    ({ type, vector }) => type !== EVENT_TYPE.nmi || vector === 2,
    'The vector of a non-maskable interrupt (type 2) must be 2.',
  ),
  row(
    'vector-hwexc',
    ({ type, vector }) => type !== EVENT_TYPE.hardwareException || vector <= 31,
    'The vector of a hardware exception (type 3) must be 0 to 31.',
  ),
  row(
    'vector-other',
    (event, state) => event.type !== EVENT_TYPE.otherEvent || event.vector === 0 || isFredSystemCall(state, event),
    'The vector of an event of type 7 must be 0: a pending MTF VM exit.',
  ),
  row(
    'errcode-type',
    ({ type, deliversErrorCode }) => !deliversErrorCode || type === EVENT_TYPE.hardwareException,
    'Only a hardware exception (type 3) delivers an error code: clear bit 11.',
    { note: 'Bochs does not check this on processors with CET.' },
  ),
  row(
    'errcode-vector',
    ({ vector, deliversErrorCode }) => deliversErrorCode === WITH_ERROR_CODE.has(vector),
    'Bit 11 must be 1 for #DF, #TS, #NP, #SS, #GP, #PF and #AC, and 0 for every other exception.',
    {
      reads: [INFORMATION, Secondary['unrestricted guest'], 'Guest CR0'],
      appliesWhen: (state) =>
        injects(state, 'hardwareException') && !deliversAnyErrorCode(state.processor) && !isRealMode(state),
      note: 'Not checked with IA32_VMX_BASIC[56]; processors with #CP, vector 21, have that bit.',
    },
  ),
  row(
    'errcode-pe0',
    ({ deliversErrorCode }) => !deliversErrorCode,
    'An exception in real-address mode delivers no error code: clear bit 11 or set CR0.PE of the guest.',
    {
      reads: [INFORMATION, Secondary['unrestricted guest'], 'Guest CR0'],
      appliesWhen: (state) => injects(state, 'hardwareException') && isRealMode(state),
      note: 'Bochs does not check this on processors with CET.',
    },
  ),
  row(
    'reserved',
    (_event, state) => {
      const reserved = hasFred(state.processor) ? 0x7fff_d000 : 0x7fff_f000;
      return (state.word(INTERRUPTION_INFORMATION) & reserved) === 0;
    },
    'Bits 30:12 of the VM-entry interruption-information field must be 0, but for bit 13 on processors with FRED.',
  ),
  row(
    'error-code-hi',
    ({ deliversErrorCode }, state) => !deliversErrorCode || state.word(ERROR_CODE) >>> 16 === 0,
    'The error code to deliver has 16 bits: bits 31:16 must be 0.',
    {
      reads: [INFORMATION, 'VM-entry exception error code'],
      note: 'Older revisions of the manual, and processors of their time, require bits 31:15 to be 0.',
    },
  ),
  row(
    'ilen',
    (event, state) => {
      if (!SOFTWARE.has(event.type) && !isFredSystemCall(state, event)) return true;
      const length = state.word(LENGTH);
      return length <= 15 && (length > 0 || allowsLengthZero(state.processor));
    },
    'A software interrupt or exception needs the length of its instruction, 1 to 15; 0 only with IA32_VMX_MISC[30].',
    { reads: [INFORMATION, 'VM-entry instruction length'], note: 'Bochs allows 0 for SYSCALL and SYSENTER.' },
  ),
  row(
    'fred-nested',
    ({ type, isNested }) => !isNested || type === EVENT_TYPE.hardwareException,
    'Only a hardware exception (type 3) can be nested: clear bit 13.',
    {
      appliesWhen: (state) => injectsEvent(state) && hasFred(state.processor),
      note: 'As Bochs has it: the pinned revision says nothing of FRED.',
    },
  ),
];
