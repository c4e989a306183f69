// What compiling costs a guest that is run from its first instruction: the part of its time that goes to the compiler, and
// how much WebAssembly comes of it.
import { compilingShare, watchingGeneratedCode } from './code-generation.js';
import { secondsOf } from './emulator/processor-time.js';
import { amount, type Effort } from './measure.js';
import type { Row, Section } from './report.js';
import { machineFor, readKernel, WORKLOADS, type Workload } from './workloads.js';

const STEPS = 20_000_000;
const KIB = 1024;

async function rowOf(effort: Effort, workload: Workload): Promise<Row> {
  const steps = amount(effort, STEPS);
  const run = () => machineFor(workload, readKernel(workload)).run({ maxSteps: steps });
  const share = compilingShare(run);
  // Again, for the profiler makes everything slower.
  const { modules, bytes, seconds, all } = await watchingGeneratedCode((code) => ({ all: secondsOf(run), ...code }));
  const made = `${modules} modules of ${(bytes / KIB).toFixed(1)} KiB made in ${(seconds * 1000).toFixed(1)} ms`;
  return { name: workload.name, value: share * 100, unit: `% of ${(all * 1000).toFixed(0)} ms, ${made}` };
}

/** Percent of the time of a run. */
export async function compileTime(effort: Effort): Promise<Section> {
  const rows: Row[] = [];
  for (const workload of WORKLOADS) rows.push(await rowOf(effort, workload));
  return { title: `Compiling, in runs of ${amount(effort, STEPS).toLocaleString('en-US')} steps from the start`, rows };
}
