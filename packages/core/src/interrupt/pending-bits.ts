// Events that wait for a processor beside those that its local APIC holds.
import { slotOf } from '../register/register-file.js';
import type { Cpu } from '../state/cpu.js';

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
