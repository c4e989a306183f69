// Virtual time: each processor counts cycles, one a step. What the processors share (8254, HPET, RTC) sees the clock of
// the one that is furthest, which never goes back.
import { slotOf } from '../register/register-file.js';
import type { Cpu } from '../state/cpu.js';
import type { MachineDraft } from '../state/draft.js';

/** Cycles of virtual time in a second: the rate of the time-stamp counter, and of the clock behind the local APIC's timer. */
export const CYCLES_PER_SECOND = 1_000_000_000;

const CYCLES = slotOf('cycles');

/** The virtual time of a processor in cycles, the steps of its current block included. */
export function cyclesOf({ words, draft, id }: Cpu): number {
  const counted = ((words[CYCLES * 2 + 1] ?? 0) >>> 0) * 2 ** 32 + ((words[CYCLES * 2] ?? 0) >>> 0);
  return id === draft.current.id ? counted + draft.runner.uncountedSteps : counted;
}

/** The virtual time of what the processors share, in cycles. */
export function machineTime(draft: MachineDraft): number {
  let latest = 0;
  for (let id = 0; id < draft.processorCount; id++) latest = Math.max(latest, cyclesOf(draft.cpu(id)));
  return latest;
}

/** Moves a processor's clock on to a time; one that is there already stays. */
export function advanceTo(cpu: Cpu, time: number): void {
  if (cyclesOf(cpu) < time) cpu.writeSlot(CYCLES, BigInt(time));
}
