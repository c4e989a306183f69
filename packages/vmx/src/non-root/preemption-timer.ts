// SDM, "VMX-Preemption Timer": counts down by 1 each time bit X of the time-stamp counter changes, where IA32_VMX_MISC[4:0]
// is X, and causes a VM exit at 0. Time is the processor's own; the deadline is kept in cycles.
import { type Cpu, isInGuestMode, type ProcessorTimer } from '@retrovisor/core';
import { VMX_MISC } from '../capability-bits.js';
import { PinBased } from '../controls.js';
import { guestValue, isOn, setGuestValue } from './controls-in-use.js';
import { pendExit } from './pending-exits.js';

/** No deadline. */
const NEVER = 0xffff_ffff_ffff_ffffn;

const rateOf = (cpu: Cpu): bigint => BigInt(VMX_MISC.read(cpu.read('IA32_VMX_MISC'), 'preemption-timer rate'));

/** The time-stamp counter without offset or scaling. */
const timeStampOf = (cpu: Cpu): bigint => cpu.timeStamp() + cpu.read('IA32_TIME_STAMP_COUNTER');

/** VM entry: the timer starts with the value of its field. */
export function startPreemptionTimer(cpu: Cpu, value: number): void {
  if (!isOn(cpu, PinBased['activate VMX-preemption timer'])) {
    setGuestValue(cpu, 'preemptionDeadline', NEVER);
    return;
  }
  const [rate, now] = [rateOf(cpu), timeStampOf(cpu)];
  const at = ((now >> rate) + BigInt(value >>> 0)) << rate;
  setGuestValue(cpu, 'preemptionDeadline', cpu.timeStamp() + (value === 0 ? 0n : at - now));
  cpu.draft.runner.reschedule();
}

/** What is left of the timer, as its field has it. */
export function remainingPreemptionTime(cpu: Cpu): number {
  const deadline = guestValue(cpu, 'preemptionDeadline');
  if (deadline === NEVER) return 0;
  const left = deadline - cpu.timeStamp();
  if (left <= 0n) return 0;
  const rate = rateOf(cpu);
  return Number((left + (1n << rate) - 1n) >> rate) | 0;
}

export const preemptionTimer: ProcessorTimer = {
  deadline: (cpu) => {
    if (!isInGuestMode(cpu)) return Number.POSITIVE_INFINITY;
    const deadline = guestValue(cpu, 'preemptionDeadline');
    return deadline === NEVER ? Number.POSITIVE_INFINITY : Number(deadline);
  },
  expire: (cpu) => {
    setGuestValue(cpu, 'preemptionDeadline', NEVER);
    pendExit(cpu, 'preemption timer');
  },
};
