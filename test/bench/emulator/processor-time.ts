// Processor time: of this process, and of programs that it starts. It is what figures are made of, because a clock on the
// wall also counts what other programs did on a computer that is busy.
import { spawnSync } from 'node:child_process';

/** A program to run. */
export interface Command {
  readonly command: string;
  readonly arguments: readonly string[];
  /** What it reads from its standard input. */
  readonly input?: string;
}

/** How it ended. */
export interface Finished {
  readonly status: number | null;
  /** Of the program and what it started. */
  readonly processorSeconds: number;
}

/** A program that takes longer is ended: it will not end by itself. */
const LONGEST_SECONDS = 120;
/** Runs its arguments without their output, then prints the processor times of itself and of what it started. */
const SCRIPT = `timeout ${LONGEST_SECONDS} "$@" >/dev/null 2>&1; status=$?; times; exit $status`;

/** Runs a program to its end. One that is not installed ends with status 127. */
export function runTimed({ command, arguments: given, input = '' }: Command): Finished {
  const ran = spawnSync('sh', ['-c', SCRIPT, 'sh', command, ...given], { input, encoding: 'utf8' });
  return { status: ran.status, processorSeconds: childSeconds(ran.stdout ?? '') };
}

/** User and system time in the second line of what `times` prints: `0m1.230000s 0m0.010000s`. */
export function childSeconds(times: string): number {
  const parts = [...(times.split('\n')[1] ?? '').matchAll(/(\d+)m([\d.]+)s/g)];
  if (parts.length !== 2) return Number.NaN;
  return parts.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0);
}

/** Seconds that this process used for something, or what passed on the wall if that is less. */
export function secondsOf(work: () => void): number {
  const startedUsing = process.cpuUsage();
  const start = process.hrtime.bigint();
  work();
  const onTheWall = Number(process.hrtime.bigint() - start) / 1e9;
  const { user, system } = process.cpuUsage(startedUsing);
  const used = (user + system) / 1e6;
  return used > 0 ? Math.min(used, onTheWall) : onTheWall;
}
