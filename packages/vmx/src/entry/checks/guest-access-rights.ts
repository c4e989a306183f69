// What access rights the segment registers of a guest may have outside virtual-8086 mode, and what they say of the limit
// (SDM, "Checks on Guest Segment Registers"), in the manual's order.
import { CR0, RFLAGS } from '@retrovisor/core';
import { Entry, Secondary } from '../../controls.js';
import { type FieldName, fieldNamed } from '../../fields.js';
import type { EntryState } from '../entry-state.js';
import {
  ACCESS_RIGHTS,
  accessRights,
  dplOf,
  GUEST_SEGMENTS,
  isUsable,
  type SegmentRegister,
  typeOf,
} from '../guest-segments.js';
import type { EntryCheckRow } from './entry-check.js';
import { FRED_NOTE } from './msr-field.js';

const GUEST_RFLAGS = fieldNamed('Guest RFLAGS');
const GUEST_CR0 = fieldNamed('Guest CR0');
const GUEST_CR4 = fieldNamed('Guest CR4');
const UNRESTRICTED = Secondary['unrestricted guest'];
const IA_32E = Entry['IA-32e mode guest'];
const RPL = 3;
/** Bits 31:17 and 11:8. */
const RESERVED = 0xfffe_0f00;
/** Data that may be read and written, accessed: a code segment of real-address mode. */
const READ_WRITE_DATA = 3;
/** Accessed code segments, by type. */
const NONCONFORMING: readonly number[] = [9, 11];
const CONFORMING: readonly number[] = [13, 15];
const CODE = [...NONCONFORMING, ...CONFORMING];
/** Data segments and non-conforming code. */
const LAST_WITH_DPL = 11;
const TASK_16 = 3;
const TASK_32 = 11;
const LDT = 2;
const DATA = ['DS', 'ES', 'FS', 'GS'] as const;

const id = (register: SegmentRegister | 'data', check: string) =>
  `vmx.entry.guest.${register.toLowerCase()}.${check}` as const;
const rightsOf = (register: SegmentRegister): FieldName => `Guest ${register} access rights`;
const noVirtual8086 = (state: EntryState): boolean => ((state.word(GUEST_RFLAGS) >>> RFLAGS.bits.VM) & 1) === 0;

/** Outside virtual-8086 mode, and for all but CS only if the register is usable. */
const isChecked = (register: SegmentRegister) => (state: EntryState) => {
  if (register === 'TR') return true;
  if (register === 'LDTR') return isUsable(accessRights(state, register));
  return noVirtual8086(state) && (register === 'CS' || isUsable(accessRights(state, register)));
};

const guardOf = (register: SegmentRegister): readonly FieldName[] =>
  register === 'TR' || register === 'LDTR' ? [rightsOf(register)] : ['Guest RFLAGS', rightsOf(register)];

/** A claim about the access rights of one register. */
const row = (
  register: SegmentRegister,
  check: string,
  claim: (rights: number, state: EntryState) => boolean,
  explain: string,
  rest: Partial<EntryCheckRow> = {},
): EntryCheckRow => ({
  id: id(register, check),
  reads: guardOf(register),
  ...(register === 'TR' ? {} : { appliesWhen: isChecked(register) }),
  holds: (state) => claim(accessRights(state, register), state),
  explain,
  ...rest,
});

const SS_NOTE = { note: 'Bochs does not look at SS of a guest in 64-bit mode with RPL 0.' };
const RESERVED_NOTE = { note: 'Bochs drops the reserved bits when they are written, as some processors do.' };

const isSegment = (register: SegmentRegister) =>
  row(
    register,
    's',
    (rights) => (rights & ACCESS_RIGHTS.S) !== 0,
    `S, bit 4 of the guest ${register} access rights, must be 1: ${register} holds a code or data segment.`,
    register === 'SS' ? SS_NOTE : {},
  );

const isSystem = (register: 'TR' | 'LDTR') =>
  row(
    register,
    's',
    (rights) => (rights & ACCESS_RIGHTS.S) === 0,
    `S, bit 4 of the guest ${register} access rights, must be 0: ${register} holds a system segment.`,
  );

const isPresent = (register: SegmentRegister) =>
  row(
    register,
    'p',
    (rights) => (rights & ACCESS_RIGHTS.P) !== 0,
    `P, bit 7 of the guest ${register} access rights, must be 1.`,
    register === 'SS' ? SS_NOTE : {},
  );

const hasNoReservedBits = (register: SegmentRegister) =>
  row(
    register,
    'reserved',
    (rights) => (rights & RESERVED) === 0,
    `Bits 11:8 and 31:17 of the guest ${register} access rights must be 0.`,
    RESERVED_NOTE,
  );

/** G says in what the limit is counted: 4 KBytes leave bits 11:0 set, bytes leave bits 31:20 clear. */
const hasFittingLimit = (register: SegmentRegister): EntryCheckRow => {
  const { limit } = GUEST_SEGMENTS[register];
  return row(
    register,
    'limit-g',
    (rights, state) => {
      const value = state.word(limit);
      return (rights & ACCESS_RIGHTS.G) === 0 ? value >>> 20 === 0 : (value & 0xfff) === 0xfff;
    },
    `G of the guest ${register} access rights must be 0 if a bit of limit 11:0 is 0, and 1 if one of 31:20 is 1.`,
    { reads: [...guardOf(register), `Guest ${register} limit`], ...(register === 'SS' ? SS_NOTE : {}) },
  );
};

const registerRows = (register: SegmentRegister): readonly EntryCheckRow[] => [
  isSegment(register),
  isPresent(register),
  hasNoReservedBits(register),
  hasFittingLimit(register),
];

/** A claim about each of DS, ES, FS and GS that is usable. */
const dataRow = (
  check: string,
  claim: (rights: number, state: EntryState, register: (typeof DATA)[number]) => boolean,
  explain: string,
  rest: Partial<EntryCheckRow> = {},
): EntryCheckRow => ({
  id: id('data', check),
  reads: ['Guest RFLAGS', ...DATA.map(rightsOf)],
  appliesWhen: noVirtual8086,
  holds: (state) =>
    DATA.every((register) => {
      const rights = accessRights(state, register);
      return !isUsable(rights) || claim(rights, state, register);
    }),
  explain,
  ...rest,
});

const types: readonly EntryCheckRow[] = [
  row(
    'CS',
    'type',
    (rights, state) =>
      CODE.includes(typeOf(rights)) || (typeOf(rights) === READ_WRITE_DATA && state.control(UNRESTRICTED)),
    'The type of the guest CS must be 9, 11, 13 or 15, accessed code; 3 too with "unrestricted guest".',
    { reads: [...guardOf('CS'), UNRESTRICTED] },
  ),
  row(
    'SS',
    'type',
    (rights) => typeOf(rights) === 3 || typeOf(rights) === 7,
    'The type of the guest SS must be 3 or 7: accessed data that may be written.',
    SS_NOTE,
  ),
  dataRow(
    'type-accessed',
    (rights) => (rights & 1) === 1,
    'Bit 0 of the types of the guest DS, ES, FS and GS must be 1: accessed.',
  ),
  dataRow(
    'type-readable',
    (rights) => (rights & 8) === 0 || (rights & 2) !== 0,
    'Code in the guest DS, ES, FS and GS must be readable: bit 1 of the type must be 1 with bit 3.',
  ),
];

const privilege: readonly EntryCheckRow[] = [
  row(
    'CS',
    'dpl-type3',
    (rights) => typeOf(rights) !== READ_WRITE_DATA || dplOf(rights) === 0,
    'DPL of the guest CS must be 0 if its type is 3.',
  ),
  row(
    'CS',
    'dpl-nonconforming',
    (rights, state) => !NONCONFORMING.includes(typeOf(rights)) || dplOf(rights) === dplOf(accessRights(state, 'SS')),
    'DPL of the guest CS must be that of SS if the code is non-conforming: CPL is SS.DPL, usable or not.',
    { reads: [...guardOf('CS'), rightsOf('SS')] },
  ),
  row(
    'CS',
    'dpl-conforming',
    (rights, state) => !CONFORMING.includes(typeOf(rights)) || dplOf(rights) <= dplOf(accessRights(state, 'SS')),
    'DPL of the guest CS must not be above that of SS if the code is conforming: CPL is SS.DPL, usable or not.',
    { reads: [...guardOf('CS'), rightsOf('SS')] },
  ),
  row(
    'SS',
    'dpl-rpl',
    (rights, state) => dplOf(rights) === (state.word(GUEST_SEGMENTS.SS.selector) & RPL),
    'DPL of the guest SS must be RPL of its selector.',
    {
      reads: ['Guest RFLAGS', UNRESTRICTED, rightsOf('SS'), 'Guest SS selector'],
      appliesWhen: (state) => noVirtual8086(state) && !state.control(UNRESTRICTED),
    },
  ),
  row(
    'SS',
    'dpl-zero',
    (rights) => dplOf(rights) === 0,
    'DPL of the guest SS must be 0 in real-address mode, and if the type of CS is 3.',
    {
      reads: ['Guest RFLAGS', 'Guest CR0', rightsOf('CS'), rightsOf('SS')],
      appliesWhen: (state) =>
        noVirtual8086(state) &&
        (typeOf(accessRights(state, 'CS')) === READ_WRITE_DATA || ((state.word(GUEST_CR0) >>> CR0.bits.PE) & 1) === 0),
    },
  ),
  dataRow(
    'dpl-rpl',
    (rights, state, register) =>
      typeOf(rights) > LAST_WITH_DPL || dplOf(rights) >= (state.word(GUEST_SEGMENTS[register].selector) & RPL),
    'DPL of the guest DS, ES, FS and GS must not be below RPL of the selector, but for conforming code.',
    {
      reads: [
        'Guest RFLAGS',
        UNRESTRICTED,
        ...DATA.flatMap((register): FieldName[] => [rightsOf(register), `Guest ${register} selector`]),
      ],
      appliesWhen: (state) => noVirtual8086(state) && !state.control(UNRESTRICTED),
    },
  ),
];

/** Of CR4: bit 32. */
const FRED_IN_HIGH_HALF = 0;
/** Bits 13:12 of RFLAGS. */
const IOPL = 0x3000;

const modes: readonly EntryCheckRow[] = [
  row(
    'CS',
    'db-l',
    (rights) => (rights & ACCESS_RIGHTS.L) === 0 || (rights & ACCESS_RIGHTS.DB) === 0,
    'D/B of the guest CS must be 0 with L in IA-32e mode: the combination is reserved.',
    {
      reads: [IA_32E, ...guardOf('CS')],
      appliesWhen: (state) => state.control(IA_32E) && noVirtual8086(state),
    },
  ),
  {
    id: 'vmx.entry.guest.fred-ss-dpl',
    reads: ['Guest CR4', 'Guest RFLAGS', rightsOf('SS'), rightsOf('CS')],
    appliesWhen: (state) => ((state.high(GUEST_CR4) >>> FRED_IN_HIGH_HALF) & 1) === 1,
    holds: (state) => {
      const dpl = dplOf(accessRights(state, 'SS'));
      if (dpl === 0) return (accessRights(state, 'CS') & ACCESS_RIGHTS.L) !== 0;
      return dpl === 3 && (state.word(GUEST_RFLAGS) & IOPL) === 0;
    },
    explain: 'With CR4.FRED the guest has CPL 0 in 64-bit mode, or CPL 3 with IOPL 0.',
    note: FRED_NOTE,
  },
];

const system: readonly EntryCheckRow[] = [
  row(
    'TR',
    'type',
    (rights, state) => typeOf(rights) === TASK_32 || (typeOf(rights) === TASK_16 && !state.control(IA_32E)),
    'The type of the guest TR must be 11, a busy TSS; 3, a busy 16-bit TSS, too outside IA-32e mode.',
    { reads: [IA_32E, rightsOf('TR')] },
  ),
  row('TR', 'usable', isUsable, 'The guest TR must be usable: bit 16 of its access rights must be 0.'),
  isSystem('TR'),
  isPresent('TR'),
  hasFittingLimit('TR'),
  hasNoReservedBits('TR'),
  row('LDTR', 'type', (rights) => typeOf(rights) === LDT, 'The type of the guest LDTR must be 2, an LDT.'),
  isSystem('LDTR'),
  isPresent('LDTR'),
  hasFittingLimit('LDTR'),
  hasNoReservedBits('LDTR'),
];

export const accessRightsChecks: readonly EntryCheckRow[] = [
  ...types,
  ...(['CS', 'SS', 'DS', 'ES', 'FS', 'GS'] as const).flatMap(registerRows),
  ...privilege,
  ...modes,
  ...system,
];
