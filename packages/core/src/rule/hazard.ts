// Hazards: software did something architecturally undefined or unsafe that real hardware may let pass.
import type { Citation } from '../manual/citation.js';

/** A kind of hazard, declared once. */
export interface Hazard {
  readonly id: string;
  readonly manual: Citation;
  /** One sentence: what is unsafe and what to do instead. */
  readonly explain: string;
}

/** One occurrence: which hazard, where in the log, and its facts (addresses, the other position). */
export interface HazardReport {
  readonly hazard: string;
  readonly position: number;
  readonly processor: number;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Declares a table of hazards of one section. */
export function defineHazards(
  manual: Citation,
  rows: readonly (Omit<Hazard, 'manual'> & { manual?: Citation })[],
): readonly Hazard[] {
  return rows.map((row) => Object.freeze({ manual, ...row }));
}
