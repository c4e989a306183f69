// A clock of a device on virtual time: its ticks follow from the time by exact arithmetic, so that it never drifts.
import { CYCLES_PER_SECOND } from '../interrupt/virtual-time.js';

/** A clock of a whole number of hertz, at most 9,000,000, so that every product below is a safe integer. */
export interface ClockRate {
  /** Ticks until a time in cycles: the clock ticks at time 0 for the first time, and is then at tick 0. */
  readonly tickAt: (time: number) => number;
  /** The first time in cycles at which the clock is at a tick. */
  readonly timeOf: (tick: number) => number;
}

/**
 * @example const rate = clockRate(1_193_182); rate.tickAt(rate.timeOf(7)) // 7
 */
export function clockRate(hertz: number): ClockRate {
  return {
    tickAt: (time) =>
      Math.floor(time / CYCLES_PER_SECOND) * hertz +
      Math.floor(((time % CYCLES_PER_SECOND) * hertz) / CYCLES_PER_SECOND),
    timeOf: (tick) =>
      Math.floor(tick / hertz) * CYCLES_PER_SECOND + Math.ceil(((tick % hertz) * CYCLES_PER_SECOND) / hertz),
  };
}
