// Events that wait for a processor beside those that its local APIC holds.
import { slotOf } from '../register/register-file.js';
import type { Cpu } from '../state/cpu.js';
import { isAnyRequested } from './local-apic-vectors.js';

/** Bits of `pendingEvents`. */
export const PENDING = {
  /** The 8259 asserts INTR: a level, not remembered. */
  INTR: 1,
  NMI: 2,
  INIT: 4,
  SIPI: 8,
  SMI: 16,
  machineCheck: 32,
} as const;

const EVENTS = slotOf('pendingEvents');
const DEBUG_WORD = slotOf('pendingDebug') * 2;

/** No event of any kind waits for a processor, held back or not. */
export function isQuiet(cpu: Cpu): boolean {
  const { words, definition } = cpu;
  if (definition.boundaryEvents.length > 0) return false; // only their rows tell
  return ((words[EVENTS * 2] as number) | (words[DEBUG_WORD] as number)) === 0 && !isAnyRequested(cpu);
}

/** Whether an event waits. */
export function isPending({ words }: Cpu, event: number): boolean {
  return ((words[EVENTS * 2] ?? 0) & event) !== 0;
}

/** Makes an event wait, or takes it back. */
export function setPending(cpu: Cpu, event: number, pending: boolean): void {
  const before = cpu.words[EVENTS * 2] ?? 0;
  cpu.words[EVENTS * 2] = pending ? before | event : before & ~event;
  cpu.written(EVENTS);
  if (pending) cpu.draft.runner.attend();
}
