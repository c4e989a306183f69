// What VMRUN takes from the control area of a VMCB and the processor keeps in registers of its own while the guest runs, and
// what #VMEXIT puts back (APM, "Basic Operation"). Each row says which VMCB clean bit allows it to be kept from the last time.
import type { Cpu } from '@retrovisor/core';
import { lowWord, PROCESSOR_REGISTERS, registerSlot } from './processor-registers.js';
import { vmcbPlace } from './vmcb-places.js';

interface ControlRow {
  readonly register: keyof typeof PROCESSOR_REGISTERS;
  readonly field: string;
  /** Bit of VMCB Clean Bits. */
  readonly clean?: number;
}

const CLEAN = { I: 0, IOPM: 1, ASID: 2, TPR: 3, NP: 4, LBR: 10 } as const;

const ROWS: readonly ControlRow[] = [
  { register: 'INTERCEPT_0', field: 'Intercept reads of CR0-15', clean: CLEAN.I },
  { register: 'INTERCEPT_1', field: 'Intercept reads of DR0-15', clean: CLEAN.I },
  { register: 'INTERCEPT_2', field: 'Intercept exception vectors 0-31', clean: CLEAN.I },
  { register: 'INTERCEPT_3', field: 'Intercept vector 3', clean: CLEAN.I },
  { register: 'INTERCEPT_4', field: 'Intercept vector 4', clean: CLEAN.I },
  { register: 'INTERCEPT_5', field: 'Intercept vector 5', clean: CLEAN.I },
  { register: 'PAUSE_FILTER', field: 'PAUSE Filter Threshold', clean: CLEAN.I },
  { register: 'IOPM_BASE_PA', field: 'IOPM_BASE_PA', clean: CLEAN.IOPM },
  { register: 'MSRPM_BASE_PA', field: 'MSRPM_BASE_PA', clean: CLEAN.IOPM },
  { register: 'TSC_OFFSET', field: 'TSC_OFFSET', clean: CLEAN.I },
  { register: 'ASID', field: 'Guest ASID', clean: CLEAN.ASID },
  { register: 'VIRTUAL_INTERRUPT', field: 'Virtual interrupt control', clean: CLEAN.TPR },
  { register: 'NP_CONTROL', field: 'Nested paging and encryption control', clean: CLEAN.NP },
  { register: 'N_CR3', field: 'N_CR3', clean: CLEAN.NP },
  { register: 'EVENTINJ', field: 'EVENTINJ' },
  { register: 'EXTENSIONS', field: 'Virtualization extensions', clean: CLEAN.LBR },
  { register: 'NRIP', field: 'nRIP' },
];

const LOADS = ROWS.map(({ register, field, clean }) => ({
  register,
  field,
  clean,
  word: vmcbPlace(field).offset / 4,
  wide: PROCESSOR_REGISTERS[register].width === 64,
}));

const CLEAN_BITS_WORD = vmcbPlace('VMCB Clean Bits').offset / 4;

/**
 * Loads the control area. `isKnown`: it is that of the guest that ran here last, so that a clean bit may be heeded. Calls
 * `stale` for each field that software changed in spite of its clean bit: the value of the last time counts.
 */
export function loadControls(cpu: Cpu, area: Int32Array, isKnown: boolean, stale: (field: string) => void): void {
  const cleanBits = isKnown ? (area[CLEAN_BITS_WORD] as number) : 0;
  for (const { register, field, clean, word, wide } of LOADS) {
    const slot = registerSlot(cpu, register);
    const [low, high] = [area[word] as number, wide ? (area[word + 1] as number) : 0];
    if (clean === undefined || ((cleanBits >>> clean) & 1) === 0) {
      cpu.writeWords(slot, low, high);
    } else if (cpu.words[slot * 2] !== low || cpu.words[slot * 2 + 1] !== high) stale(field);
  }
}

const VIRTUAL_INTERRUPT_WORD = vmcbPlace('Virtual interrupt control').offset / 4;
const INTERRUPT_STATE_WORD = vmcbPlace('Guest interrupt state').offset / 4;
const EXIT_WORD = vmcbPlace('EXITCODE').offset / 4;
const NEXT_RIP_WORD = vmcbPlace('nRIP').offset / 4;
const EVENT_WORD = vmcbPlace('EVENTINJ').offset / 4;

/** The ranges of bytes that #VMEXIT changes in the control area. */
export const CONTROL_RANGES = [
  [0x60, 4],
  [0x68, 4],
  [0x70, 0x20],
  [0xa8, 4],
  [0xc8, 0x18],
] as const;

/** What a #VMEXIT reports. */
export interface ExitReport {
  readonly code: number;
  readonly info1?: bigint;
  readonly info2?: bigint;
  readonly interruptInfo?: bigint;
  readonly nextRip?: bigint;
  /** Guest instruction bytes, where the processor has decode assists and the exit reports them. */
  readonly bytes?: readonly number[];
}

function store(area: Int32Array, word: number, value: bigint | undefined): void {
  area[word] = value === undefined ? 0 : Number(BigInt.asIntN(32, value));
  area[word + 1] = value === undefined ? 0 : Number(BigInt.asIntN(32, value >> 32n));
}

const EVENT_VALID = 1 << 31;
const INTERRUPT_SHADOW = 1;

/** Stores the report, and what the guest changed of the control area. */
export function storeControls(cpu: Cpu, area: Int32Array, report: ExitReport): void {
  area[VIRTUAL_INTERRUPT_WORD] = lowWord(cpu, 'VIRTUAL_INTERRUPT');
  const shadow = cpu.interruptShadow === 'none' ? 0 : INTERRUPT_SHADOW;
  area[INTERRUPT_STATE_WORD] = ((area[INTERRUPT_STATE_WORD] as number) & ~INTERRUPT_SHADOW) | shadow;
  area[EXIT_WORD] = report.code;
  area[EXIT_WORD + 1] = report.code < 0 ? -1 : 0;
  store(area, EXIT_WORD + 2, report.info1);
  store(area, EXIT_WORD + 4, report.info2);
  store(area, EXIT_WORD + 6, report.interruptInfo);
  area[EVENT_WORD] = (area[EVENT_WORD] as number) & ~EVENT_VALID;
  store(area, NEXT_RIP_WORD, report.nextRip);
  storeBytes(area, report.bytes ?? []);
}

const BYTES_WORD = vmcbPlace('Number of bytes fetched').offset / 4;

/** What is changed in the VMCB of a guest that was not entered. */
export const REFUSAL_RANGES = [[0x70, 0x20]] as const;

export function storeRefusal(area: Int32Array, { code }: ExitReport): void {
  area[EXIT_WORD] = code;
  area[EXIT_WORD + 1] = -1;
  area.fill(0, EXIT_WORD + 2, EXIT_WORD + 8);
}

/** The count, then 15 bytes. */
function storeBytes(area: Int32Array, bytes: readonly number[]): void {
  if (bytes.length === 0) {
    area.fill(0, BYTES_WORD, BYTES_WORD + 4);
    return;
  }
  const padded = [bytes.length, ...bytes, ...new Array(15).fill(0)] as number[];
  for (let index = 0; index < 4; index++) {
    const [a = 0, b = 0, c = 0, d = 0] = padded.slice(index * 4, index * 4 + 4);
    area[BYTES_WORD + index] = a | (b << 8) | (c << 16) | (d << 24);
  }
}

/** Whether the guest begins in an interrupt shadow. */
export const hasInterruptShadow = (area: Int32Array): boolean =>
  ((area[INTERRUPT_STATE_WORD] as number) & INTERRUPT_SHADOW) !== 0;

const TLB_CONTROL_WORD = vmcbPlace('Guest ASID').offset / 4 + 1;

/** TLB_CONTROL, a byte. */
export const tlbControlOf = (area: Int32Array): number => (area[TLB_CONTROL_WORD] as number) & 0xff;
