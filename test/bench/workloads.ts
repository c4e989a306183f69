// Guest workloads: the same multiboot kernels on this machine, recorded and not, compiled and not, on v86, and on QEMU and
// Bochs where they are installed.
import { readFileSync } from 'node:fs';
import { createMachine, type Machine, memorySink, multibootImage, recordMachine } from '@retrovisor/core';
import { BOCHS } from './emulator/bochs.js';
import { secondsOf } from './emulator/processor-time.js';
import { roundsPerSecond, withRounds } from './emulator/program.js';
import { QEMU } from './emulator/qemu.js';
import { v86Mips } from './emulator/v86.js';
import { amount, type Contestant, type Effort, measure } from './measure.js';
import type { Goal, Row, Section } from './report.js';

/** A kernel and what is expected of it. */
export interface Workload {
  readonly name: string;
  readonly file: string;
  /** Times v86, recorded. */
  readonly timesV86: number;
  /** Times Bochs, recorded. */
  readonly timesBochs?: number;
  /** Million instructions a second, recorded, on the reference path. */
  readonly referenceMips: number;
  /** Rounds of its outer loop that take QEMU about a second. */
  readonly rounds: number;
  /** v86 looks for interrupts between slices of a millisecond: of those here it takes one in five hundred. */
  readonly withoutV86?: boolean;
}

const OTHERS = { timesV86: 0.3, timesBochs: 1, referenceMips: 10 } as const;
export const WORKLOADS: readonly Workload[] = [
  { name: 'integer loop with loads and stores', file: 'integer', timesV86: 0.7, referenceMips: 25, rounds: 60_000 },
  { name: 'branchy sort', file: 'sort', ...OTHERS, rounds: 60_000 },
  { name: 'memory copy', file: 'copy', ...OTHERS, rounds: 60_000 },
  { name: 'system-call ping-pong', file: 'syscall', ...OTHERS, rounds: 30_000 },
  { name: 'interrupt-heavy', file: 'interrupt', ...OTHERS, rounds: 10_000, withoutV86: true },
];

/** Of the speed without recording, what is left with it. */
const LEFT_WHEN_RECORDED = 0.95;
const MEMORY_BYTES = 32 * 2 ** 20;
/** Processor time of a round, and of the run before it that says how many steps that makes. */
const [SECONDS, WARMING_SECONDS] = [0.6, 0.15];
const FIRST_STEPS = 1_000_000;
const V86_SECONDS = 1;
const PROGRAMS = [QEMU, BOCHS];

type Way = 'not recorded' | 'recorded' | 'reference path, recorded';
const WAYS: readonly Way[] = ['not recorded', 'recorded', 'reference path, recorded'];

/** The kernel of a workload, which runs for ever. */
export const readKernel = ({ file }: Workload): Uint8Array =>
  Uint8Array.from(readFileSync(new URL(`workloads/${file}.bin`, import.meta.url)));

/** A machine that is about to run a workload. */
export function machineFor({ file }: Workload, bytes: Uint8Array, compile?: false): Machine {
  const boot = multibootImage({ bytes, fileName: file, memoryBytes: MEMORY_BYTES });
  return createMachine({
    profile: 'intel-server',
    memory: MEMORY_BYTES,
    boot,
    ...(compile === undefined ? {} : { compile }),
  });
}

const nameOf = ({ name }: Workload, way: Way) => `${name}, ${way}`;

function contestant(effort: Effort, workload: Workload, way: Way): Contestant {
  return {
    name: nameOf(workload, way),
    prepare: () => {
      const machine = machineFor(workload, readKernel(workload), way.startsWith('reference') ? false : undefined);
      const steps = stepsOfRound(effort, machine);
      const recording =
        way.endsWith('recorded') && way !== 'not recorded' ? recordMachine(machine, memorySink()) : undefined;
      return () => {
        const ran = machine.run({ maxSteps: steps });
        recording?.close();
        return ran.steps;
      };
    },
  };
}

/** Warms a machine up. Returns the steps that take it the time of a round: a hundred times more where code is compiled. */
function stepsOfRound(effort: Effort, machine: Machine): number {
  for (let steps = amount(effort, FIRST_STEPS); ; steps *= 2) {
    const seconds = secondsOf(() => void machine.run({ maxSteps: steps }));
    if (seconds >= WARMING_SECONDS * effort.scale) return Math.ceil((steps * SECONDS * effort.scale) / seconds);
  }
}

/** Told by this machine, which counts them; the mean of some rounds. */
function instructionsOfRound(workload: Workload): number {
  const stepsOf = (rounds: number): number =>
    machineFor(workload, withRounds(readKernel(workload), rounds)).run({ maxSteps: 10_000_000 }).steps;
  return (stepsOf(11) - stepsOf(1)) / 10;
}

/** Million instructions a second of the other emulators that are there, by name. */
async function othersMips(effort: Effort, workload: Workload): Promise<ReadonlyMap<string, number>> {
  const mips = new Map<string, number>();
  const kernel = readKernel(workload);
  if (workload.withoutV86 !== true) mips.set('v86', await v86Mips(kernel, V86_SECONDS * effort.scale, MEMORY_BYTES));
  if (effort.scale < 1) return mips;
  for (const program of PROGRAMS) {
    const rate = roundsPerSecond(program, kernel, workload.rounds);
    if (rate !== undefined) mips.set(program.name, (rate * instructionsOfRound(workload)) / 1e6);
  }
  return mips;
}

/** Million instructions a second. */
export async function workloads(effort: Effort): Promise<Section> {
  const times = measure(
    effort,
    WORKLOADS.flatMap((workload) => WAYS.map((way) => contestant(effort, workload, way))),
  );
  const rows: Row[] = [];
  for (const workload of WORKLOADS) {
    const mipsOf = (way: Way): number => 1000 / (times.get(nameOf(workload, way)) ?? Number.NaN);
    rows.push(...rowsOf(workload, mipsOf, await othersMips(effort, workload)));
  }
  return { title: 'Guest workloads', rows };
}

function rowsOf(workload: Workload, mipsOf: (way: Way) => number, others: ReadonlyMap<string, number>): readonly Row[] {
  const { timesV86, timesBochs, referenceMips } = workload;
  const [plain, recorded, reference] = WAYS.map(mipsOf) as [number, number, number];
  const row = (way: Way, value: number): Row => ({ name: nameOf(workload, way), value, unit: 'MIPS' });
  const beside = [...others].map(([name, mips]) => [`× ${name}`, recorded / mips] as const);
  return [
    row('not recorded', plain),
    {
      ...row('recorded', recorded),
      ratios: { '× not recorded': recorded / plain, ...Object.fromEntries(beside) },
      goals: [
        { text: `${LEFT_WHEN_RECORDED} × not recorded`, met: recorded >= LEFT_WHEN_RECORDED * plain },
        ...timesGoal(recorded, timesV86, 'v86', others),
        ...timesGoal(recorded, timesBochs, 'Bochs', others),
      ],
    },
    {
      ...row('reference path, recorded', reference),
      goals: [{ text: `${referenceMips}`, met: reference >= referenceMips }],
    },
    ...[...others].map(([name, mips]) => ({ name: `${workload.name}, ${name}`, value: mips, unit: 'MIPS' })),
  ];
}

function timesGoal(
  mips: number,
  times: number | undefined,
  name: string,
  others: ReadonlyMap<string, number>,
): readonly Goal[] {
  const other = others.get(name);
  if (times === undefined || other === undefined) return [];
  return [{ text: `${times} × ${name}`, met: mips >= times * other }];
}
