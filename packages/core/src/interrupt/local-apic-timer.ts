// SDM, "APIC Timer" and "TSC-Deadline Mode". The timer is a function of the processor's virtual time: what is kept is when
// it was started, not what it counts. Its clock ticks once a cycle, before the divider.
import { slotOf } from '../register/register-file.js';
import { timeStampCounter } from '../register/time-stamp-counter.js';
import type { Cpu } from '../state/cpu.js';
import { localApicMode } from './local-apic-mode.js';
import { raiseLocalInterrupt } from './local-vector-table.js';
import { cyclesOf } from './virtual-time.js';

const LVT = slotOf('APIC_LVT_TIMER') * 2;
const INITIAL = slotOf('APIC_INIT_COUNT') * 2;
const DIVIDE = slotOf('APIC_DIV_CONF') * 2;
const START = slotOf('APIC_TIMER_START') * 2;
/** Bits 18:17 of the LVT entry. */
const MODE_SHIFT = 17;
const MODES = ['one-shot', 'periodic', 'TSC-deadline', 'reserved'] as const;
export type TimerMode = (typeof MODES)[number];

/** The mode that an LVT entry asks for. */
export const timerModeOf = (entry: number): TimerMode => MODES[(entry >>> MODE_SHIFT) & 3] ?? 'reserved';
const modeNow = ({ words }: Cpu): TimerMode => timerModeOf(words[LVT] ?? 0);

/** Bits 3, 1 and 0 of the divide configuration register: 000 is by 2, 110 by 128, 111 by 1. */
function divisorOf({ words }: Cpu): number {
  const bits = words[DIVIDE] ?? 0;
  const code = ((bits >> 1) & 4) | (bits & 3);
  return code === 7 ? 1 : 2 << code;
}

const initialCount = ({ words }: Cpu): number => (words[INITIAL] ?? 0) >>> 0;
/**
 * 0: stopped. One more than the time, so that a timer can be started at time 0. In TSC-deadline mode the register holds the
 * deadline itself, a value of the time-stamp counter, which software may set before that is reached.
 */
const startOf = ({ words }: Cpu): number => ((words[START + 1] ?? 0) >>> 0) * 2 ** 32 + ((words[START] ?? 0) >>> 0);

function setStart(cpu: Cpu, start: number): void {
  cpu.writeSlot(START / 2, BigInt(start));
  cpu.draft.runner.reschedule();
}

/** When the timer of a processor expires, in cycles of its clock; Infinity: it is stopped. */
export function localTimerDeadline(cpu: Cpu): number {
  const start = startOf(cpu);
  if (start === 0) return Number.POSITIVE_INFINITY;
  if (modeNow(cpu) === 'TSC-deadline') return cyclesAtDeadline(cpu);
  return start - 1 + initialCount(cpu) * divisorOf(cpu);
}

/** When the time-stamp counter has the value in IA32_TSC_DEADLINE, or now if it is past. */
function cyclesAtDeadline(cpu: Cpu): number {
  const ahead = cpu.readSlot(START / 2) - timeStampCounter(cpu);
  if (ahead > FURTHEST) return Number.POSITIVE_INFINITY;
  return cyclesOf(cpu) + Math.max(0, Number(ahead));
}
/** So far ahead in cycles that no run gets there. */
const FURTHEST = 2n ** 52n;

/** The deadline is reached: the interrupt is requested, and a periodic timer starts again where the last period ended. */
export function expireLocalTimer(cpu: Cpu, time: number): void {
  if (modeNow(cpu) === 'periodic') {
    const period = initialCount(cpu) * divisorOf(cpu);
    const periods = Math.max(1, Math.floor((time - (startOf(cpu) - 1)) / period));
    setStart(cpu, startOf(cpu) + periods * period);
  } else setStart(cpu, 0);
  raiseLocalInterrupt(cpu, 'APIC_LVT_TIMER');
}

/** A write to the initial count starts the timer; 0 stops it. Ignored in TSC-deadline mode. */
export function writeInitialCount(cpu: Cpu, value: number): void {
  if (modeNow(cpu) === 'TSC-deadline') return;
  cpu.writeSlot(INITIAL / 2, BigInt(value));
  setStart(cpu, value === 0 ? 0 : cyclesOf(cpu) + 1);
}

/** The current count register: what is left of the initial count, in ticks of the divided clock. */
export function currentCount(cpu: Cpu): number {
  const start = startOf(cpu);
  if (start === 0 || modeNow(cpu) === 'TSC-deadline') return 0;
  const ticks = Math.floor((cyclesOf(cpu) - (start - 1)) / divisorOf(cpu));
  return Math.max(0, initialCount(cpu) - ticks);
}

/** Another divisor counts on from the current count. */
export function writeDivideConfiguration(cpu: Cpu, value: number): void {
  const left = currentCount(cpu);
  cpu.writeSlot(DIVIDE / 2, BigInt(value & 0xb));
  if (startOf(cpu) === 0 || modeNow(cpu) === 'TSC-deadline') return;
  setStart(cpu, cyclesOf(cpu) + 1 - (initialCount(cpu) - left) * divisorOf(cpu));
}

/** Changing to or from TSC-deadline mode stops the timer; one-shot and periodic change while it counts. */
export function timerModeChanged(cpu: Cpu, from: TimerMode, to: TimerMode): void {
  if ((from === 'TSC-deadline') !== (to === 'TSC-deadline')) setStart(cpu, 0);
  else cpu.draft.runner.reschedule();
}

/** IA32_TSC_DEADLINE: 0 while the timer is not armed. */
export function readTscDeadline(cpu: Cpu): bigint {
  return modeNow(cpu) === 'TSC-deadline' ? cpu.readSlot(START / 2) : 0n;
}

/** Arms the timer for a value of the time-stamp counter, also one that is past; 0 disarms it. Ignored in other modes. */
export function writeTscDeadline(cpu: Cpu, value: bigint): void {
  if (localApicMode(cpu) === 'disabled' || modeNow(cpu) !== 'TSC-deadline') return;
  cpu.writeSlot(START / 2, value);
  cpu.draft.runner.reschedule();
}
