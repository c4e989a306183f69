// One flat table: the codes of #VMEXIT (APM, volume 2, appendix C, "SVM Intercept Exit Codes"). A code below C0H is the number of
// the bit that asks for it: the word of the intercept vectors is the code divided by 32.
import type { Cpu } from '@retrovisor/core';
import { registerSlot } from './processor-registers.js';

const family = (first: number, nameOf: (index: number) => string, count = 16) =>
  Array.from({ length: count }, (_, index) => [first + index, nameOf(index)] as const);

const ROWS: readonly (readonly [code: number, name: string])[] = [
  ...family(0x00, (index) => `CR${index}_READ`),
  ...family(0x10, (index) => `CR${index}_WRITE`),
  ...family(0x20, (index) => `DR${index}_READ`),
  ...family(0x30, (index) => `DR${index}_WRITE`),
  ...family(0x40, (index) => `EXCP_${index}`, 32),
  [0x60, 'INTR'],
  [0x61, 'NMI'],
  [0x62, 'SMI'],
  [0x63, 'INIT'],
  [0x64, 'VINTR'],
  [0x65, 'CR0_SEL_WRITE'],
  [0x66, 'IDTR_READ'],
  [0x67, 'GDTR_READ'],
  [0x68, 'LDTR_READ'],
  [0x69, 'TR_READ'],
  [0x6a, 'IDTR_WRITE'],
  [0x6b, 'GDTR_WRITE'],
  [0x6c, 'LDTR_WRITE'],
  [0x6d, 'TR_WRITE'],
  [0x6e, 'RDTSC'],
  [0x6f, 'RDPMC'],
  [0x70, 'PUSHF'],
  [0x71, 'POPF'],
  [0x72, 'CPUID'],
  [0x73, 'RSM'],
  [0x74, 'IRET'],
  [0x75, 'SWINT'],
  [0x76, 'INVD'],
  [0x77, 'PAUSE'],
  [0x78, 'HLT'],
  [0x79, 'INVLPG'],
  [0x7a, 'INVLPGA'],
  [0x7b, 'IOIO'],
  [0x7c, 'MSR'],
  [0x7d, 'TASK_SWITCH'],
  [0x7e, 'FERR_FREEZE'],
  [0x7f, 'SHUTDOWN'],
  [0x80, 'VMRUN'],
  [0x81, 'VMMCALL'],
  [0x82, 'VMLOAD'],
  [0x83, 'VMSAVE'],
  [0x84, 'STGI'],
  [0x85, 'CLGI'],
  [0x86, 'SKINIT'],
  [0x87, 'RDTSCP'],
  [0x88, 'ICEBP'],
  [0x89, 'WBINVD'],
  [0x8a, 'MONITOR'],
  [0x8b, 'MWAIT'],
  [0x8c, 'MWAIT_CONDITIONAL'],
  [0x8d, 'XSETBV'],
  [0x8e, 'RDPRU'],
  [0x8f, 'EFER_WRITE_TRAP'],
  ...family(0x90, (index) => `CR${index}_WRITE_TRAP`),
  [0xa0, 'INVLPGB'],
  [0xa1, 'INVLPGB_ILLEGAL'],
  [0xa2, 'INVPCID'],
  [0xa3, 'MCOMMIT'],
  [0xa4, 'TLBSYNC'],
  [0xa5, 'BUS_LOCK'],
  [0xa6, 'IDLE_HLT'],
  [0x400, 'NPF'],
  [0x401, 'AVIC_INCOMPLETE_IPI'],
  [0x402, 'AVIC_NOACCEL'],
  [0x403, 'VMGEXIT'],
  [-1, 'INVALID'],
  [-2, 'BUSY'],
  [-3, 'IDLE_REQUIRED'],
  [-4, 'INVALID_PMC'],
];

/** Each code with its name, without the prefix VMEXIT_. Those of failures are negative: 64 bits in the VMCB. */
export const EXIT_CODES: ReadonlyMap<number, string> = new Map(ROWS);

const CODES: ReadonlyMap<string, number> = new Map(ROWS.map(([code, name]) => [name, code]));

/** Codes at and above this one have no bit of their own. */
const FIRST_WITHOUT_BIT = 0xc0;

/** The code of a name; for tables that are made when the module is loaded. */
export function exitCode(name: string): number {
  const code = CODES.get(name);
  if (code === undefined) throw new RangeError(`no #VMEXIT has the code VMEXIT_${name}`);
  return code;
}

/** Where the bit stands that asks for an exit: word 0 to 5 of the intercept vectors and bit; undefined for one that needs none. */
export function interceptBitOf(code: number): { readonly word: number; readonly bit: number } | undefined {
  return code < 0 || code >= FIRST_WITHOUT_BIT ? undefined : { word: code >> 5, bit: code & 31 };
}

/** Whether the guest's VMCB asks for the exit of a code below C0H. */
export function isIntercepted(cpu: Cpu, code: number): boolean {
  const word = cpu.words[(registerSlot(cpu, 'INTERCEPT_0') + (code >> 5)) * 2] as number;
  return ((word >>> (code & 31)) & 1) !== 0;
}
