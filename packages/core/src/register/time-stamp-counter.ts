// SDM, "Time-Stamp Counter": virtual cycles plus what software added to them, never the host's clock.
import type { Cpu } from '../state/cpu.js';

/** The time-stamp counter of a processor at this position. */
export function timeStampCounter(cpu: Cpu): bigint {
  return BigInt.asUintN(64, cpu.timeStamp() + cpu.read('IA32_TIME_STAMP_COUNTER'));
}

/** The counter as software reads it: plugins may show a guest another one. */
export function shownTimeStamp(cpu: Cpu): bigint {
  let value = timeStampCounter(cpu);
  for (const show of cpu.definition.intercepts.timeStamp) value = show(cpu, value);
  return BigInt.asUintN(64, value);
}

/** Sets what is added to the cycles: a deadline in time stamps is reached at another time then. */
export function adjustTimeStampCounter(cpu: Cpu, adjustment: bigint): void {
  cpu.set('IA32_TIME_STAMP_COUNTER', BigInt.asUintN(64, adjustment));
  cpu.draft.runner.reschedule();
}
