// All sections, in the order in which they are printed.
import { fetched } from './fetched.js';
import { intrinsics } from './intrinsics.js';
import type { Effort } from './measure.js';
import { memory } from './memory.js';
import type { Section } from './report.js';
import { sealing } from './sealing.js';
import { travel } from './travel.js';

const SECTIONS = { memory, intrinsics, 'fetched instructions': fetched, sealing, 'time travel': travel };

/** Measures everything. `begin` hears what comes next. */
export function benchmark(effort: Effort, begin: (title: string) => void = () => {}): readonly Section[] {
  return Object.entries(SECTIONS).map(([title, section]) => {
    begin(title);
    return section(effort);
  });
}
