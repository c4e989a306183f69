// The PAUSE filter (APM, "PAUSE Intercept Filtering"): the intercept sees only the last of a number of PAUSEs, and with a
// threshold only if they follow each other closely. Time is that of the processor, in cycles.
import type { Cpu } from '@retrovisor/core';
import { hasFeature } from './features.js';
import { lowWord, numberIn, setLowWord, setNumber } from './processor-registers.js';

/** Counts a PAUSE of the guest; true if it is not shown to the intercept. */
export function isPauseFiltered(cpu: Cpu): boolean {
  if (!hasFeature(cpu.profile, 'PauseFilter')) return false;
  const filter = lowWord(cpu, 'PAUSE_FILTER');
  const count = filter >>> 16;
  if (count === 0) return false;
  const threshold = hasFeature(cpu.profile, 'PauseFilterThreshold') ? filter & 0xffff : 0;
  const now = Number(cpu.timeStamp());
  const elapsed = now - numberIn(cpu, 'PAUSE_TIME');
  setNumber(cpu, 'PAUSE_TIME', now);
  const left = threshold !== 0 && elapsed > threshold ? count : lowWord(cpu, 'PAUSE_COUNT');
  setLowWord(cpu, 'PAUSE_COUNT', left === 0 ? count : left - 1);
  return left !== 0;
}
