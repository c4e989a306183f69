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

/** The highest vector whose bit is set; -1: none. */
export function highestVector({ words }: Cpu, register: VectorRegister): number {
  for (let index = 7; index >= 0; index--) {
    const bits = words[FIRST_WORD[register] + index * 2] ?? 0;
    if (bits !== 0) return index * 32 + 31 - Math.clz32(bits);
  }
  return NONE;
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
