// All sections, in the order in which they are printed.
import { coldCodeSection } from './cold-code.js';
import { compileTime } from './compile-time.js';
import { fetched } from './fetched.js';
import { hotSeeks } from './hot-seeks.js';
import { intrinsics } from './intrinsics.js';
import type { Effort } from './measure.js';
import { memory } from './memory.js';
import { newCode } from './new-code.js';
import type { Section } from './report.js';
import { sealing } from './sealing.js';
import { travel } from './travel.js';
import { workloads } from './workloads.js';
import { worldSwitches } from './world-switches.js';

const SECTIONS = {
  memory,
  intrinsics,
  'fetched instructions': fetched,
  'guest workloads': workloads,
  'world switches': worldSwitches,
  'compile time': compileTime,
  'cold code': coldCodeSection,
  'new code': newCode,
  sealing,
  'time travel': travel,
  'seeks in a hot loop': hotSeeks,
};

/** Measures everything. `begin` hears what comes next. */
export async function benchmark(
  effort: Effort,
  begin: (title: string) => void = () => {},
): Promise<readonly Section[]> {
  const sections: Section[] = [];
  for (const [title, section] of Object.entries(SECTIONS)) {
    begin(title);
    sections.push(await section(effort));
  }
  return sections;
}
