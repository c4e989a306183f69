// SDM, "Local APIC Register Address Map" and "x2APIC Register Address Space": what reading and writing a register of the
// local APIC does. One table for both ways to reach them; the offset of a register in the page is 16 times the number of
// its MSR above 800H.
import { LOCAL_APIC_REGISTERS } from '../register/local-apic-registers.js';
import { slotOf } from '../register/register-file.js';
import type { Cpu } from '../state/cpu.js';
import { GP, raise } from './exceptions.js';
import { sendInterprocessorInterrupt, x2ApicLogicalId } from './interrupt-message.js';
import { localApicMode } from './local-apic-mode.js';
import {
  currentCount,
  timerModeChanged,
  timerModeOf,
  writeDivideConfiguration,
  writeInitialCount,
} from './local-apic-timer.js';
import { hasVector, highestVector, processorPriority, setVector } from './local-apic-vectors.js';
import { APIC_ERROR, reportApicError } from './local-vector-table.js';
import { isQuiet } from './pending-bits.js';

export { localApicPage } from './local-apic-mode.js';

/** One register as software reaches it. */
export interface LocalApicAccess {
  readonly name: string;
  readonly offset: number;
  /** Absent: write-only. Values have 32 bits. */
  readonly read?: (cpu: Cpu) => number;
  /** Absent: read-only. */
  readonly write?: (cpu: Cpu, value: number) => void;
  /** Bits that WRMSR must write as 0 in x2APIC mode; the page ignores them. */
  readonly reserved?: number;
  /** Not in the other of the two address spaces. */
  readonly only?: 'xAPIC' | 'x2APIC';
}

const CMCI_AND_LVTS = 6;
const EOI_BROADCAST_SUPPRESSION = 1 << 24;
/** An integrated local APIC has version 10H to 15H: 14H is QEMU's. There are six entries above the first in its table. */
const VERSION = 0x14 | (CMCI_AND_LVTS << 16) | EOI_BROADCAST_SUPPRESSION;
const SOFTWARE_ENABLE = 1 << 8;
const SUPPRESS_BROADCAST = 1 << 12;
const MASK = 1 << 16;

/** A register as it is kept: the low half of its slot. */
const stored = (name: string) => {
  const word = slotOf(name) * 2;
  return (cpu: Cpu) => (cpu.words[word] as number) >>> 0;
};
const store = (name: string, writable: number) => {
  const slot = slotOf(name);
  return (cpu: Cpu, value: number) => cpu.writeWords(slot, value & writable, 0);
};
const TASK_PRIORITY = slotOf('APIC_TPR');
const SPURIOUS = slotOf('APIC_SVR') * 2;
const [COMMAND, COMMAND_UPPER] = [slotOf('APIC_ICR_LOW'), slotOf('APIC_ICR_HIGH') * 2];

function endOfInterrupt(cpu: Cpu): void {
  const vector = highestVector(cpu, 'ISR');
  if (vector < 0) return;
  setVector(cpu, 'ISR', vector, false);
  if (!isQuiet(cpu)) cpu.draft.runner.attend();
  const suppressed = ((cpu.words[SPURIOUS] as number) & SUPPRESS_BROADCAST) !== 0;
  if (hasVector(cpu, 'TMR', vector) && !suppressed) cpu.draft.endOfInterrupt(vector);
}

/** While the local APIC is disabled by software, every entry is masked. */
function writeSpurious(cpu: Cpu, value: number): void {
  cpu.set('APIC_SVR', BigInt(value & (0xff | SOFTWARE_ENABLE | SUPPRESS_BROADCAST)));
  if ((value & SOFTWARE_ENABLE) === 0)
    for (const { name } of LOCAL_VECTORS) cpu.set(name, cpu.read(name) | BigInt(MASK));
}

function writeLocalVector(name: string, writable: number): (cpu: Cpu, value: number) => void {
  return (cpu, value) => {
    const enabled = (Number(cpu.read('APIC_SVR')) & SOFTWARE_ENABLE) !== 0;
    const before = Number(cpu.read(name));
    const after = ((value & writable) | (enabled ? 0 : MASK)) >>> 0;
    cpu.set(name, BigInt(after));
    if (name === 'APIC_LVT_TIMER') timerModeChanged(cpu, timerModeOf(before), timerModeOf(after));
    cpu.draft.runner.attend(); // LINT0 may let an external interrupt through now
  };
}

/** Writable bits of each entry: vector, delivery mode, polarity and trigger mode of the pins, mask, timer mode. */
const LOCAL_VECTORS = [
  { name: 'APIC_LVT_CMCI', writable: 0x1_07ff },
  { name: 'APIC_LVT_TIMER', writable: 0x7_00ff },
  { name: 'APIC_LVT_THERMAL', writable: 0x1_07ff },
  { name: 'APIC_LVT_PMI', writable: 0x1_07ff },
  { name: 'APIC_LVT_LINT0', writable: 0x1_a7ff },
  { name: 'APIC_LVT_LINT1', writable: 0x1_a7ff },
  { name: 'APIC_LVT_ERROR', writable: 0x1_00ff },
] as const;

/** Delivery status and remote IRR: what is written to them is ignored. */
const READ_ONLY = 0x5000;

const offsetOf = (name: string): number => LOCAL_APIC_REGISTERS.find((row) => row.name === name)?.offset ?? -1;

const VECTOR_REGISTERS = ['ISR', 'TMR', 'IRR'].flatMap((register) =>
  Array.from({ length: 8 }, (_, index) => `APIC_${register}${index}`),
);

/** A write moves the errors since the last one to ESR, whatever is written. */
function writeErrorStatus(cpu: Cpu): void {
  cpu.set('APIC_ESR', cpu.read('APIC_PENDING_ERRORS'));
  cpu.set('APIC_PENDING_ERRORS', 0n);
}

function writeTaskPriority(cpu: Cpu, value: number): void {
  cpu.writeWords(TASK_PRIORITY, value & 0xff, 0);
  cpu.draft.runner.attend();
}

function writeCommand(cpu: Cpu, value: number): void {
  cpu.writeWords(COMMAND, value & COMMAND_BITS, 0);
  const high = (cpu.words[COMMAND_UPPER] as number) >>> 0;
  sendInterprocessorInterrupt(cpu, value, localApicMode(cpu) === 'x2APIC' ? high : high >>> 24);
}
const COMMAND_BITS = 0xc_cfff;

/** Processors differ in whether software may change the ID; here it may, in xAPIC mode. A 32-bit ID is read-only. */
function writeId(cpu: Cpu, value: number): void {
  if (localApicMode(cpu) === 'x2APIC') raise(GP(0), 'core.wrmsr.read-only');
  cpu.set('APIC_ID', BigInt((value & 0xff00_0000) >>> 0));
}

/** In ascending order of offset. The ICR is one register of 64 bits in x2APIC mode: its upper half is written first. */
export const LOCAL_APIC_ACCESS: readonly LocalApicAccess[] = [
  { name: 'APIC_ID', offset: 0x20, read: stored('APIC_ID'), write: writeId },
  { name: 'APIC_VERSION', offset: 0x30, read: () => VERSION },
  { name: 'APIC_TPR', offset: 0x80, read: stored('APIC_TPR'), write: writeTaskPriority, reserved: ~0xff },
  { name: 'APIC_APR', offset: 0x90, read: () => 0, only: 'xAPIC' },
  { name: 'APIC_PPR', offset: 0xa0, read: processorPriority },
  { name: 'APIC_EOI', offset: 0xb0, write: endOfInterrupt, reserved: ~0 },
  { name: 'APIC_RRD', offset: 0xc0, read: () => 0, only: 'xAPIC' },
  {
    name: 'APIC_LDR',
    offset: 0xd0,
    read: (cpu) => (localApicMode(cpu) === 'x2APIC' ? x2ApicLogicalId(cpu.id) : Number(cpu.read('APIC_LDR'))),
    write: store('APIC_LDR', 0xff00_0000),
  },
  {
    name: 'APIC_DFR',
    offset: 0xe0,
    read: stored('APIC_DFR'),
    write: (cpu, value) => cpu.set('APIC_DFR', BigInt((value | 0x0fff_ffff) >>> 0)),
    only: 'xAPIC',
  },
  { name: 'APIC_SVR', offset: 0xf0, read: stored('APIC_SVR'), write: writeSpurious, reserved: ~0x11ff },
  ...VECTOR_REGISTERS.map((name) => ({ name, offset: offsetOf(name), read: stored(name) })),
  { name: 'APIC_ESR', offset: 0x280, read: stored('APIC_ESR'), write: writeErrorStatus, reserved: ~0 },
  {
    name: 'APIC_ICR_LOW',
    offset: 0x300,
    read: stored('APIC_ICR_LOW'),
    write: writeCommand,
    reserved: ~COMMAND_BITS,
  },
  {
    name: 'APIC_ICR_HIGH',
    offset: 0x310,
    read: stored('APIC_ICR_HIGH'),
    write: store('APIC_ICR_HIGH', 0xff00_0000),
    only: 'xAPIC',
  },
  ...LOCAL_VECTORS.map(({ name, writable }) => ({
    name,
    offset: offsetOf(name),
    read: stored(name),
    write: writeLocalVector(name, writable),
    reserved: ~(writable | READ_ONLY),
  })),
  { name: 'APIC_INIT_COUNT', offset: 0x380, read: stored('APIC_INIT_COUNT'), write: writeInitialCount },
  { name: 'APIC_CUR_COUNT', offset: 0x390, read: currentCount },
  {
    name: 'APIC_DIV_CONF',
    offset: 0x3e0,
    read: stored('APIC_DIV_CONF'),
    write: writeDivideConfiguration,
    reserved: ~0xb,
  },
  {
    name: 'APIC_SELF_IPI',
    offset: 0x3f0,
    write: (cpu, value) => sendInterprocessorInterrupt(cpu, (value & 0xff) | SELF, 0),
    reserved: ~0xff,
    only: 'x2APIC',
  },
];
const SELF = 1 << 18;

/** Those of the page by bits 11:4 of the address. */
const REGISTERS = new Array<LocalApicAccess | undefined>(256).fill(undefined);
for (const row of LOCAL_APIC_ACCESS) if (row.only !== 'x2APIC') REGISTERS[row.offset >> 4] = row;

/** A register of the page, or an error in ESR. */
function registerAt(cpu: Cpu, address: number): LocalApicAccess | undefined {
  const found = REGISTERS[(address & 0xff0) >> 4];
  if (found === undefined) reportApicError(cpu, APIC_ERROR.illegalRegister);
  return found;
}

/** A load from the page. Registers have 32 bits on boundaries of 16 bytes; other accesses are undefined: here they see part of one. */
export function readLocalApic(cpu: Cpu, address: number, bytes: 1 | 2 | 4): number {
  const within = address & 0xf;
  if (within + bytes > 4) return 0;
  const value = (registerAt(cpu, address)?.read?.(cpu) ?? 0) >>> (within * 8);
  return bytes === 4 ? value : value & (2 ** (8 * bytes) - 1);
}

/** A store to the page; what is not 32 bits on a boundary of 16 bytes is undefined, and here ignored. */
export function writeLocalApic(cpu: Cpu, address: number, value: number, bytes: 1 | 2 | 4): void {
  if (bytes === 4 && (address & 0xf) === 0) registerAt(cpu, address)?.write?.(cpu, value);
}

/** WRMSR in x2APIC mode: reserved bits are #GP(0). */
export function writeX2Apic(cpu: Cpu, { write, reserved = 0 }: LocalApicAccess, value: bigint): void {
  if ((value & ~0xffff_ffffn) !== 0n || (Number(value) & reserved) !== 0) raise(GP(0), 'core.wrmsr.value-reserved');
  write?.(cpu, Number(value));
}
