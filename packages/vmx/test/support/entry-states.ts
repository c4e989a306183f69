// States that pass every check of VM entry, and edits that make other states of them: a guest in 64-bit mode, in 32-bit
// protected mode with paging, in real-address mode, in virtual-8086 mode, and one whose host has 32 bits too.
import type { Control } from '../../src/controls.js';
import { Entry, Exit, Primary, Secondary } from '../../src/controls.js';
import type { EntryState } from '../../src/entry/entry-state.js';
import { type RecordedVmcs, recordedState } from '../../src/entry/recorded-vmcs.js';
import type { FieldName } from '../../src/fields.js';
import { PROCESSORS, type ProcessorName } from './entry-processors.js';

/** A state that edits change. */
export interface EditableState {
  processor: ProcessorName;
  readonly fields: Partial<Record<FieldName, bigint>>;
  readonly memory: Map<bigint, bigint>;
  inIa32eMode: boolean;
  inSmm: boolean;
  isTracing: boolean;
}

export type Edit = (state: EditableState) => void;

export const VMCS_ADDRESS = 0x21_0000n;
const NO_LINK = 0xffff_ffff_ffff_ffffn;
const EPTP = 0x5_001en; // write-back, walks of length 4

export const put =
  (field: FieldName, value: bigint): Edit =>
  ({ fields }) => {
    fields[field] = value;
  };

export const flip =
  (field: FieldName, mask: bigint): Edit =>
  ({ fields }) => {
    fields[field] = (fields[field] ?? 0n) ^ mask;
  };

/** Sets controls, and those that activate their words. */
export const on =
  (...controls: readonly Control[]): Edit =>
  (state) => {
    for (const { bit, group } of controls) {
      state.fields[group.field] = (state.fields[group.field] ?? 0n) | (1n << BigInt(bit));
      if (group.activatedBy !== undefined) on(group.activatedBy)(state);
    }
  };

export const off =
  (...controls: readonly Control[]): Edit =>
  ({ fields }) => {
    for (const { bit, group } of controls) fields[group.field] = (fields[group.field] ?? 0n) & ~(1n << BigInt(bit));
  };

export const memory =
  (address: bigint, value: bigint): Edit =>
  (state) => {
    state.memory.set(address, value);
  };

export const ept: Edit = (state) => {
  on(Secondary['enable EPT'])(state);
  put('EPT pointer (EPTP)', EPTP)(state);
};

type SegmentValues = readonly [selector: bigint, base: bigint, limit: bigint, accessRights: bigint];

/** Gives segment registers of the guest their four fields. */
const segments = (values: Readonly<Record<string, SegmentValues>>): Partial<Record<FieldName, bigint>> =>
  Object.fromEntries(
    Object.entries(values).flatMap(([register, [selector, base, limit, rights]]) => [
      [`Guest ${register} selector`, selector],
      [`Guest ${register} base`, base],
      [`Guest ${register} limit`, limit],
      [`Guest ${register} access rights`, rights],
    ]),
  );

const DATA: SegmentValues = [0x10n, 0n, 0xffff_ffffn, 0xc093n];
const REAL: SegmentValues = [0x10n, 0x100n, 0xffffn, 0x93n];
const V86: SegmentValues = [0x1000n, 0x1_0000n, 0xffffn, 0xf3n];
const all = (values: SegmentValues) => ({ ES: values, CS: values, SS: values, DS: values, FS: values, GS: values });
const SYSTEM = { LDTR: [0x20n, 0n, 0xffn, 0x1_0000n], TR: [0x18n, 0n, 0x67n, 0x8bn] } as const;

const LONG: Partial<Record<FieldName, bigint>> = {
  'Pin-based VM-execution controls': 0x16n,
  'Primary processor-based VM-execution controls': 0x0400_6172n,
  'Primary VM-exit controls': 0x3_6dfbn | (1n << BigInt(Exit['host address-space size'].bit)),
  'VM-entry controls': 0x11fbn | (1n << BigInt(Entry['IA-32e mode guest'].bit)),
  'VMCS link pointer': NO_LINK,
  'Host CR0': 0x8005_0033n,
  'Host CR3': 0x1000n,
  'Host CR4': 0x2020n,
  'Host CS selector': 8n,
  'Host SS selector': 0x10n,
  'Host TR selector': 0x18n,
  'Host RIP': 0x1_0000n,
  'Guest CR0': 0x8005_0031n,
  'Guest CR3': 0x2000n,
  'Guest CR4': 0x2020n,
  'Guest DR7': 0x400n,
  'Guest RFLAGS': 2n,
  'Guest RIP': 0x2_0000n,
  ...segments({ ...all(DATA), CS: [8n, 0n, 0xffff_ffffn, 0xa09bn], ...SYSTEM }),
};

const PAGED_32: Partial<Record<FieldName, bigint>> = {
  ...LONG,
  'VM-entry controls': 0x11fbn,
  'Guest CR4': 0x2000n,
  ...segments({ CS: [8n, 0n, 0xffff_ffffn, 0xc09bn] }),
};

const BASES = {
  long: { fields: LONG, inIa32eMode: true },
  paged32: { fields: PAGED_32, inIa32eMode: true },
  virtual8086: { fields: { ...PAGED_32, 'Guest RFLAGS': 0x2_0002n, ...segments(all(V86)) }, inIa32eMode: true },
  real: {
    fields: {
      ...PAGED_32,
      'Guest CR0': 0x30n,
      'Primary processor-based VM-execution controls': 0x8400_6172n,
      'Secondary processor-based VM-execution controls':
        (1n << BigInt(Secondary['enable EPT'].bit)) | (1n << BigInt(Secondary['unrestricted guest'].bit)),
      'EPT pointer (EPTP)': EPTP,
      ...segments(all(REAL)),
    },
    inIa32eMode: true,
  },
  host32: {
    fields: { ...PAGED_32, 'Primary VM-exit controls': 0x3_6dfbn },
    inIa32eMode: false,
  },
} as const;

/** The states by name. */
export type BaseName = keyof typeof BASES;
export const BASE_NAMES = Object.keys(BASES) as readonly BaseName[];

/** One of the states, edited. */
export function edited(base: BaseName, processor: ProcessorName, edits: readonly Edit[]): EditableState {
  const { fields, inIa32eMode } = BASES[base];
  const state: EditableState = {
    processor,
    fields: { ...fields },
    memory: new Map(),
    inIa32eMode,
    inSmm: false,
    isTracing: false,
  };
  for (const edit of edits) edit(state);
  return state;
}

/** As the library takes it. */
export function recordedVmcs({ processor, fields, memory: known, ...rest }: EditableState): RecordedVmcs {
  return {
    profile: PROCESSORS[processor],
    fields,
    address: VMCS_ADDRESS,
    memory: (address) => known.get(address) ?? 0n,
    ...rest,
  };
}

/** As the checks read it. */
export function entryState(state: EditableState): EntryState {
  return recordedState(recordedVmcs(state));
}

/** Controls that a test of one kind needs together. */
export const secondary = (...names: readonly (keyof typeof Secondary)[]): Edit =>
  on(...names.map((name) => Secondary[name]));
export const primary = (...names: readonly (keyof typeof Primary)[]): Edit => on(...names.map((name) => Primary[name]));
