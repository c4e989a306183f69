// The 256-bit registers of a local APIC and what follows from them (SDM, "Handling Interrupts"): which vector is next,
// and whether the priority of the processor lets it through.
import { slotOf } from '../register/register-file.js';
import type { Cpu } from '../state/cpu.js';

export type VectorRegister = 'ISR' | 'TMR' | 'IRR';

/** Word index of the first of the eight registers. */
const FIRST_WORD: Readonly<Record<VectorRegister, number>> = {
  ISR: slotOf('APIC_ISR0') * 2,
  TMR: slotOf('APIC_TMR0') * 2,
  IRR: slotOf('APIC_IRR0') * 2,
};
const FIRST_REQUEST = FIRST_WORD.IRR;
const TPR_WORD = slotOf('APIC_TPR') * 2;
const NONE = -1;
const CLASS = 0xf0;

/** The bits of 32 vectors. */
const slotFor = (register: VectorRegister, vector: number): number => FIRST_WORD[register] / 2 + (vector >> 5);

/** Whether the bit of a vector is set. */
export function hasVector(cpu: Cpu, register: VectorRegister, vector: number): boolean {
  return (((cpu.words[slotFor(register, vector) * 2] ?? 0) >>> (vector & 31)) & 1) === 1;
}

/** Sets or clears the bit of a vector. */
export function setVector(cpu: Cpu, register: VectorRegister, vector: number, set: boolean): void {
  const slot = slotFor(register, vector);
  const bit = 1 << (vector & 31);
  const before = cpu.words[slot * 2] ?? 0;
  cpu.words[slot * 2] = set ? before | bit : before & ~bit;
  cpu.written(slot);
}

/** The highest vector whose bit is set; -1: none. Asked after each step that may let an interrupt through. */
export function highestVector({ words }: Cpu, register: VectorRegister): number {
  const first = FIRST_WORD[register];
  for (let word = first + 14; word >= first; word -= 2) {
    const bits = words[word] as number;
    if (bits !== 0) return (word - first) * 16 + 31 - Math.clz32(bits);
  }
  return NONE;
}

/** Whether any vector is requested. */
export function isAnyRequested({ words }: Cpu): boolean {
  let bits = 0;
  for (let word = FIRST_REQUEST; word < FIRST_REQUEST + 16; word += 2) bits |= words[word] as number;
  return bits !== 0;
}

/** SDM, "Task and Processor Priorities": the processor-priority register, 8 bits. */
export function processorPriority(cpu: Cpu): number {
  const task = (cpu.words[TPR_WORD] ?? 0) & 0xff;
  const inService = Math.max(0, highestVector(cpu, 'ISR'));
  return (task & CLASS) >= (inService & CLASS) ? task : inService & CLASS;
}

/** The vector that the local APIC would give the processor now; -1: none that the priority lets through. */
export function deliverableVector(cpu: Cpu): number {
  const requested = highestVector(cpu, 'IRR');
  return requested >= 0 && (requested & CLASS) > (processorPriority(cpu) & CLASS) ? requested : NONE;
}
