// `pnpm fuzz [--minutes N] [--seed N] [--cases N]`: random guests, one after the other, in a process that is ended when a
// guest takes too long. Without --cases it goes on for the minutes. Each finding is printed once, with the seeds that show
// it; `pnpm fuzz --seed N --cases 1` makes one again. Exit status 1 if anything was found.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type FuzzResult, runCase } from './fuzz-run.js';

/** Without a word for so long a guest hangs: it has used a minute of time for what takes a tenth of a second. */
const PATIENCE_MS = 120_000;
const SEEDS_SHOWN = 5;

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    cases: { type: 'string' },
    worker: { type: 'boolean', default: false },
  },
});
const first = Number(options.seed);
const most = options.cases === undefined ? Number.POSITIVE_INFINITY : Number(options.cases);

/** Prints a line a case. */
async function work(): Promise<void> {
  for (let seed = first; seed < first + most; seed++) {
    process.stdout.write(`${JSON.stringify({ seed, ...(await runCase(seed)) })}\n`);
  }
}

/** Cases and steps so far, how they ended, and seeds by finding. */
class Tally {
  cases = 0;
  steps = 0;
  readonly ends = new Map<string, number>();
  readonly findings = new Map<string, number[]>();

  add(seed: number, { steps, end, finding }: FuzzResult): void {
    this.cases++;
    this.steps += steps;
    this.ends.set(end, (this.ends.get(end) ?? 0) + 1);
    if (finding !== undefined) this.find(seed, `${finding.what}\n    (${finding.where})`);
  }

  find(seed: number, what: string): void {
    const key = what.split('\n').slice(0, 2).join('\n');
    const seeds = this.findings.get(key) ?? [];
    this.findings.set(key, [...seeds, seed]);
    if (seeds.length === 0) say(`seed ${seed}: ${what}`);
  }
}

async function watch(): Promise<number> {
  const end = performance.now() + Number(options.minutes) * 60_000;
  const isOver = () => (options.cases === undefined ? performance.now() >= end : false);
  const tally = new Tally();
  let next = first;
  while (next < first + most && !isOver()) {
    const { last, hung } = await runWorker(next, first + most - next, isOver, tally);
    next = last + 1;
    if (hung) tally.find(next, 'the machine hangs, or its process has ended');
    if (hung) next++;
  }
  report(tally);
  return tally.findings.size === 0 ? 0 : 1;
}

/** Cases from a seed on, until they are done, time is up, or one says nothing for too long. */
async function runWorker(
  from: number,
  count: number,
  isOver: () => boolean,
  tally: Tally,
): Promise<{ readonly last: number; readonly hung: boolean }> {
  const cases = Number.isFinite(count) ? ['--cases', String(count)] : [];
  const words = ['--worker', '--seed', String(from), ...cases];
  const worker = spawn(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const alarm = new Alarm(worker);
  let last = from - 1;
  for await (const line of createInterface({ input: worker.stdout })) {
    const { seed, ...result } = JSON.parse(line) as FuzzResult & { readonly seed: number };
    last = seed;
    tally.add(seed, result);
    if (isOver()) break;
    alarm.restart();
  }
  alarm.stop();
  worker.kill('SIGKILL');
  return { last, hung: !isOver() && last < from + count - 1 };
}

/** Ends a process that has not been heard of for too long. */
class Alarm {
  readonly #process: ChildProcess;
  #timer: NodeJS.Timeout | undefined;

  constructor(process: ChildProcess) {
    this.#process = process;
    this.restart();
  }

  restart(): void {
    this.stop();
    this.#timer = setTimeout(() => this.#process.kill('SIGKILL'), PATIENCE_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

function report({ cases, steps, ends, findings }: Tally): void {
  for (const [end, count] of [...ends].toSorted(([, one], [, other]) => other - one)) say(`${count} × ${end}`);
  for (const [what, seeds] of findings)
    say(`\n${seeds.length} × ${what}\n  seeds ${seeds.slice(0, SEEDS_SHOWN).join(', ')}`);
  say(`\n${cases} guests, ${steps} steps, ${findings.size} findings`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

if (options.worker) await work();
else process.exitCode = await watch();
