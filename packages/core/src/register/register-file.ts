// The register file: every architectural register of a logical processor as a row, with its place in the hot memory.
// One 64-bit slot a register, two for those that are wider. MSRs and plugins' registers are appended when a machine is
// defined (plugin/host.ts), so that all of them are read, written, sealed, compared and located the same way.
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
  | 'sse'
  | 'x87'
  | 'msrs'
  | 'localApic'
  | 'internal';

/** One register. */
export interface RegisterRow {
  /** As printed; parts of a register with a dot: `CS.base`. */
  readonly name: string;
  readonly group: RegisterGroup;
  /** Bits that exist. More than 64 take two slots, the low half first, at an address that is a multiple of 16. */
  readonly width: 8 | 16 | 32 | 64 | 80 | 128;
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
const CONTROL_REGISTERS = ['CR0', 'CR2', 'CR3', 'CR4', 'CR8', 'XCR0', 'PKRU'] as const;
/** What PAE paging keeps of the page-directory-pointer table (memory/pdpte-registers.ts). */
const PDPTE_REGISTERS = ['PDPTE0', 'PDPTE1', 'PDPTE2', 'PDPTE3'] as const;
/** MSRs that instructions and interrupts use all the time: their slots are the same on every machine. */
const FREQUENT_MSRS = [
  'IA32_EFER',
  'IA32_PKRS',
  'IA32_TIME_STAMP_COUNTER',
  'IA32_APIC_BASE',
  'IA32_SYSENTER_CS',
  'IA32_SYSENTER_ESP',
  'IA32_SYSENTER_EIP',
  'IA32_STAR',
  'IA32_LSTAR',
  'IA32_CSTAR',
  'IA32_FMASK',
  'IA32_KERNEL_GS_BASE',
] as const;
const DEBUG_REGISTERS = ['DR0', 'DR1', 'DR2', 'DR3', 'DR6', 'DR7'] as const;
/** In the order of their encodings. */
export const XMM_REGISTERS = [
  'XMM0',
  'XMM1',
  'XMM2',
  'XMM3',
  'XMM4',
  'XMM5',
  'XMM6',
  'XMM7',
  'XMM8',
  'XMM9',
  'XMM10',
  'XMM11',
  'XMM12',
  'XMM13',
  'XMM14',
  'XMM15',
] as const;
/**
 * The data registers of the x87 FPU by their place, not by their distance from the top of the stack: ST(0) is the one that
 * bits 13:11 of FSW name, and MM0 to MM7 are bits 63:0 of R0 to R7. Bits 79:64 are the sign and the exponent.
 */
export const X87_DATA_REGISTERS = ['R0', 'R1', 'R2', 'R3', 'R4', 'R5', 'R6', 'R7'] as const;
/**
 * FTW is abridged as in the image of FXSAVE: a bit a data register, 1 if it is not empty. Whether it is valid, zero or
 * special follows from what it holds. FOP has 11 bits.
 */
const X87_CONTROL = { FCW: 16, FSW: 16, FTW: 8, FOP: 16, FIP: 64, FCS: 16, FDP: 64, FDS: 16 } as const;

export type GeneralRegister = (typeof GENERAL_REGISTERS)[number];
export type SegmentRegister = (typeof SEGMENT_REGISTERS)[number] | (typeof SYSTEM_SEGMENTS)[number];
export type ControlRegister = (typeof CONTROL_REGISTERS)[number] | (typeof PDPTE_REGISTERS)[number];
export type DebugRegister = (typeof DEBUG_REGISTERS)[number];
export type SseRegister = (typeof XMM_REGISTERS)[number] | 'MXCSR';
export type X87Register = (typeof X87_DATA_REGISTERS)[number] | keyof typeof X87_CONTROL;

const RESETS: Readonly<Record<string, bigint>> = {
  RIP: 0xfff0n,
  RFLAGS: 0x2n,
  CR0: 0x6000_0010n,
  XCR0: 0x1n,
  DR6: 0xffff_0ff0n,
  DR7: 0x400n,
  MXCSR: 0x1f80n,
  FCW: 0x40n,
  FTW: 0xffn, // 5555H in the form of FSTENV: eight zeros
  'CS.selector': 0xf000n,
  'CS.base': 0xffff_0000n,
  IA32_APIC_BASE: 0xfee0_0800n,
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
  ...CONTROL_REGISTERS.map((name) => row(name, 'control', name === 'PKRU' ? 32 : 64)),
  ...PDPTE_REGISTERS.map((name) => row(name, 'control', 64)),
  ...DEBUG_REGISTERS.map((name) => row(name, 'debug', 64)),
  ...[...SEGMENT_REGISTERS, ...SYSTEM_SEGMENTS].flatMap(segmentRows),
  ...tableRows('GDTR'),
  ...tableRows('IDTR'),
  ...XMM_REGISTERS.map((name) => row(name, 'sse', 128)),
  row('MXCSR', 'sse', 32),
  ...X87_DATA_REGISTERS.map((name) => row(name, 'x87', 80)),
  ...Object.entries(X87_CONTROL).map(([name, width]) => row(name, 'x87', width)),
  ...FREQUENT_MSRS.map((name) => row(name, 'msrs', 64)),
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
  // A20M#: 1 while bit 20 of physical addresses is masked.
  row('A20M', 'internal', 32),
  // 1 while the processor executes software of a guest (plugin/guest-mode.ts).
  row('guestMode', 'internal', 32),
];

/** A register with its first slot. */
export interface PlacedRegister extends RegisterRow {
  readonly slot: number;
}

/** One slot after the other; a register of two slots begins at an even one. */
function placed(rows: readonly RegisterRow[]): readonly PlacedRegister[] {
  let next = 0;
  return rows.map((register) => {
    const isWide = register.width > 64;
    const slot = isWide ? next + (next % 2) : next;
    next = slot + (isWide ? 2 : 1);
    return Object.freeze({ ...register, slot });
  });
}

/** Slot numbers of the base registers: constants for closures and generated code. */
export const SLOT: Readonly<Record<string, number>> = Object.fromEntries(
  placed(BASE_REGISTERS).map(({ name, slot }) => [name, slot]),
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
  readonly rows: readonly PlacedRegister[];
  readonly slots: ReadonlyMap<string, number>;
  /** Slots that the registers take. */
  readonly slotCount: number;
  /** The registers of each group in slot order. */
  readonly groups: ReadonlyMap<RegisterGroup, readonly PlacedRegister[]>;
  readonly #byName: ReadonlyMap<string, PlacedRegister>;

  constructor(extra: readonly RegisterRow[]) {
    this.rows = Object.freeze(placed([...BASE_REGISTERS, ...extra]));
    this.slots = new Map(this.rows.map(({ name, slot }) => [name, slot]));
    this.slotCount = this.rows.reduce((count, { slot, width }) => Math.max(count, slot + (width > 64 ? 2 : 1)), 0);
    const groups = new Set(this.rows.map(({ group }) => group));
    this.groups = new Map([...groups].map((name) => [name, this.rows.filter(({ group }) => group === name)]));
    this.#byName = new Map(this.rows.map((register) => [register.name, register]));
  }

  /** A register by name, or a UsageError that names it. */
  register(name: string): PlacedRegister {
    const register = this.#byName.get(name);
    if (register === undefined)
      throw new UsageError('UNKNOWN_REGISTER', { name }, `this machine has no register named ${name}`);
    return register;
  }

  /** The first slot of a register, or a UsageError that names it. */
  slot(name: string): number {
    return this.register(name).slot;
  }
}
