// How a plugin takes a processor over in the middle of an instruction or of the delivery of an event, as a VM exit does. What
// is under way is abandoned as by a fault: registers are those of the boundary. Then the plugin decides what becomes of it.
import type { Outcome } from '../event/outcome.js';
import type { Cpu } from '../state/cpu.js';

/** Thrown where the plugin was asked; caught where the step was begun. */
export class Interception {
  readonly take: (cpu: Cpu) => Outcome;

  constructor(take: (cpu: Cpu) => Outcome) {
    this.take = take;
  }
}

/**
 * Abandons the current instruction or delivery. `take` is called with the registers of the boundary, and with
 * `cpu.draft.delivering` if an event was being delivered; its outcome is that of the step.
 */
export function takeOver(take: (cpu: Cpu) => Outcome): never {
  throw new Interception(take);
}
