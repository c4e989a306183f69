// VM exits that wait for the boundary after the instruction or the entry that made them pend.
import type { Cpu } from '@retrovisor/core';
import { guestWord, setGuestValue } from './controls-in-use.js';

/** By what causes them: bits of the register `pendingExits`. */
const PENDING_EXIT = {
  'monitor trap flag': 1,
  'preemption timer': 2,
  'TPR below threshold': 4,
  'virtualized EOI': 8,
  'APIC write': 16,
} as const;

export type PendingExit = keyof typeof PENDING_EXIT;

export function pendExit(cpu: Cpu, exit: PendingExit): void {
  setGuestValue(cpu, 'pendingExits', guestWord(cpu, 'pendingExits') | PENDING_EXIT[exit]);
  cpu.draft.runner.attend();
}

export const isExitPending = (cpu: Cpu, exit: PendingExit): boolean =>
  (guestWord(cpu, 'pendingExits') & PENDING_EXIT[exit]) !== 0;
