// The register file: every architectural register of a logical processor as a row, with its place in the hot memory.
// One 64-bit slot a register. MSRs and plugins' registers are appended when a machine is defined (plugin/host.ts), so
// that all of them are read, written, sealed, compared and located the same way.
import { UsageError } from '../error.js';
import type { SegmentName } from '../expression/nodes.js';
import { LOCAL_APIC_INTERNALS, LOCAL_APIC_REGISTERS } from './local-apic-registers.js';

/** Where a register stands in a sealed ProcessorState. */
export type RegisterGroup =
  | 'general'
  | 'control'
  | 'debug'
  | 'segments'
  | 'descriptorTables'
  | 'msrs'
  | 'localApic'
  | 'internal';

/** One register. */
export interface RegisterRow {
  /** As printed; parts of a register with a dot: `CS.base`. */
  readonly name: string;
  readonly group: RegisterGroup;
  /** Bits that exist. */
  readonly width: 16 | 32 | 64;
  /** Value after RESET (SDM, "Processor State After Reset"); a profile or the processor's number may change it. */
  readonly reset: bigint;
}

/** In the order of their encodings: the first slots of the register file. */
export const GENERAL_REGISTERS = [
  'RAX',
  'RCX',
  'RDX',
  'RBX',
  'RSP',
  'RBP',
  'RSI',
  'RDI',
  'R8',
  'R9',
  'R10',
  'R11',
  'R12',
  'R13',
  'R14',
  'R15',
] as const;
export const SEGMENT_REGISTERS = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'] as const satisfies readonly SegmentName[];
const SYSTEM_SEGMENTS = ['LDTR', 'TR'] as const;
const CONTROL_REGISTERS = ['CR0', 'CR2', 'CR3', 'CR4', 'CR8', 'XCR0'] as const;
const DEBUG_REGISTERS = ['DR0', 'DR1', 'DR2', 'DR3', 'DR6', 'DR7'] as const;

export type GeneralRegister = (typeof GENERAL_REGISTERS)[number];
export type SegmentRegister = (typeof SEGMENT_REGISTERS)[number] | (typeof SYSTEM_SEGMENTS)[number];
export type ControlRegister = (typeof CONTROL_REGISTERS)[number];
export type DebugRegister = (typeof DEBUG_REGISTERS)[number];

const RESETS: Readonly<Record<string, bigint>> = {
  RIP: 0xfff0n,
  RFLAGS: 0x2n,
  CR0: 0x6000_0010n,
  XCR0: 0x1n,
  DR6: 0xffff_0ff0n,
  DR7: 0x400n,
  'CS.selector': 0xf000n,
  'CS.base': 0xffff_0000n,
};

/** Access rights at reset: present, accessed; read/execute for CS, read/write for data, LDT and busy TSS. */
const RESET_ATTRIBUTES: Readonly<Record<SegmentRegister, bigint>> = {
  ES: 0x93n,
  CS: 0x9bn,
  SS: 0x93n,
  DS: 0x93n,
  FS: 0x93n,
  GS: 0x93n,
  LDTR: 0x82n,
  TR: 0x8bn,
};

function row(name: string, group: RegisterGroup, width: RegisterRow['width'], reset = RESETS[name] ?? 0n): RegisterRow {
  return { name, group, width, reset };
}

function segmentRows(segment: SegmentRegister): RegisterRow[] {
  return [
    row(`${segment}.selector`, 'segments', 16),
    row(`${segment}.base`, 'segments', 64),
    row(`${segment}.limit`, 'segments', 32, 0xffffn),
    // Bits 15:0 are bits 55:40 of a descriptor with the limit nibble cleared; bit 16 is set for an unusable register.
    row(`${segment}.attributes`, 'segments', 32, RESET_ATTRIBUTES[segment]),
  ];
}

function tableRows(table: 'GDTR' | 'IDTR'): RegisterRow[] {
  return [row(`${table}.base`, 'descriptorTables', 64), row(`${table}.limit`, 'descriptorTables', 16, 0xffffn)];
}

/** The registers that every machine has, in slot order: the first 16 slots are indexed by register number. */
export const BASE_REGISTERS: readonly RegisterRow[] = [
  ...GENERAL_REGISTERS.map((name) => row(name, 'general', 64)),
  row('RIP', 'general', 64),
  row('RFLAGS', 'general', 64),
  ...CONTROL_REGISTERS.map((name) => row(name, 'control', 64)),
  ...DEBUG_REGISTERS.map((name) => row(name, 'debug', 64)),
  ...[...SEGMENT_REGISTERS, ...SYSTEM_SEGMENTS].flatMap(segmentRows),
  ...tableRows('GDTR'),
  ...tableRows('IDTR'),
  row('IA32_EFER', 'msrs', 64),
  ...LOCAL_APIC_REGISTERS.map(({ name, reset }) => row(name, 'localApic', 32, reset)),
  ...LOCAL_APIC_INTERNALS.map(({ name, width }) => row(name, 'localApic', width)),
  // Not printed in the manual as registers, but state: what the processor does, what it holds back, its virtual time.
  row('activity', 'internal', 32),
  row('interruptShadow', 'internal', 32),
  row('nmiBlocked', 'internal', 32),
  row('pendingEvents', 'internal', 32),
  row('startupVector', 'internal', 32),
  row('pendingDebug', 'internal', 32),
  row('cycles', 'internal', 64),
  row('randomState', 'internal', 64),
];

/** Slot numbers of the base registers: constants for closures and generated code. */
export const SLOT: Readonly<Record<string, number>> = Object.fromEntries(
  BASE_REGISTERS.map(({ name }, slot) => [name, slot]),
);

/** The slot of a base register by name. */
export function slotOf(name: string): number {
  const slot = SLOT[name];
  if (slot === undefined) throw new UsageError('UNKNOWN_REGISTER', { name }, `no register is named ${name}`);
  return slot;
}

/** Values of `activity`. */
export const ACTIVITY = ['active', 'HLT', 'shutdown', 'wait-for-SIPI'] as const;
export type Activity = (typeof ACTIVITY)[number];

/** Values of `interruptShadow`: what held back interrupts for one instruction. */
export const SHADOW = { none: 0, sti: 1, movSs: 2 } as const;

/** Rows of a whole register file and the slot of each. */
export class RegisterFile {
  readonly rows: readonly RegisterRow[];
  readonly slots: ReadonlyMap<string, number>;

  constructor(extra: readonly RegisterRow[]) {
    this.rows = Object.freeze([...BASE_REGISTERS, ...extra]);
    this.slots = new Map(this.rows.map(({ name }, slot) => [name, slot]));
  }

  /** The slot of a register, or a UsageError that names it. */
  slot(name: string): number {
    const slot = this.slots.get(name);
    if (slot === undefined)
      throw new UsageError('UNKNOWN_REGISTER', { name }, `this machine has no register named ${name}`);
    return slot;
  }
}
