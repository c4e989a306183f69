// What `run` and `record` share: a guest goes, its console is passed on, and how it ended is told.
import { type Emission, isFailure, type Machine, NotModelled, type Outcome } from '@retrovisor/core';
import { EXIT, type ExitStatus } from '../exit-status.js';
import type { Colours } from '../output/colour.js';
import type { Output } from '../output/output.js';
import { registerTable } from '../output/register-table.js';
import type { Guest } from './guest.js';
import { type LimitedRun, type Limits, runWithLimits, type Stop } from './limits.js';

/** A guest that has ended. */
export interface Session {
  readonly guest: Guest;
  /** How the last thing that it did came out. */
  readonly outcome: Outcome | undefined;
  /** For an image: why it stopped. */
  readonly run: LimitedRun | undefined;
  /** Everything that it wrote to its console. */
  readonly console: string;
  readonly status: ExitStatus;
}

/** Lets a guest go to its end. @throws ScriptError, NotModelled */
export async function runGuest(guest: Guest, limits: Limits, output: Output): Promise<Session> {
  const console = new GuestConsole(guest.machine, output);
  const watch = watchOutcomes(guest.machine);
  try {
    const run = guest.script === undefined ? await runImage(guest, limits, output, console) : undefined;
    const returned =
      guest.script === undefined ? undefined : await withConsoleAside(output, () => guest.script?.drive(guest.machine));
    const outcome = isOutcome(returned) ? returned : watch.last();
    return { guest, run, outcome, console: console.text(), status: statusOfEnd(run?.stop, outcome) };
  } catch (error) {
    console.flush();
    output.freshLine();
    if (error instanceof NotModelled) output.report((colours) => gapText(guest, colours));
    throw error;
  } finally {
    watch.end();
    console.flush();
    output.freshLine();
  }
}

/** Where a guest stands in front of what is not modelled: the state at the boundary before it. */
function gapText({ path, machine }: Guest, colours: Colours): string {
  const { processor } = machine.state.turn;
  const state = machine.state.processors[processor];
  const registers = state === undefined ? '' : `${registerTable(machine.definition, state, undefined, colours)}\n`;
  return `${registers}${path}: stopped before position ${machine.position}`;
}

async function runImage(
  { machine, path }: Guest,
  limits: Limits,
  output: Output,
  console: GuestConsole,
): Promise<LimitedRun> {
  const progress = output.progress(path, limits.maxInstructions);
  const run = await runWithLimits(machine, limits, async (steps) => {
    console.flush();
    progress.update(steps);
    await output.drained();
  });
  progress.hide();
  return run;
}

/** With --json stdout is one document: what a script prints goes to stderr then. */
async function withConsoleAside<Result>(
  { json }: Output,
  work: () => Promise<Result> | undefined,
): Promise<Result | undefined> {
  const before = globalThis.console;
  if (json) globalThis.console = new before.Console(process.stderr, process.stderr);
  try {
    return await work();
  } finally {
    globalThis.console = before;
  }
}

/** The last outcome of what a script did by itself. */
function watchOutcomes(machine: Machine): { last(): Outcome | undefined; end(): void } {
  let last: Outcome | undefined;
  const subscription = machine.events$.subscribe({
    next: ({ outcome }) => {
      last = outcome;
    },
    error: () => {}, // whoever called the machine gets the error too
  });
  return { last: () => last, end: () => subscription.unsubscribe() };
}

function isOutcome(value: unknown): value is Outcome {
  return typeof value === 'object' && value !== null && 'kind' in value && typeof value.kind === 'string';
}

/** Reaching a limit that counts is what was asked for; running out of patience is not. */
function statusOfEnd(stop: Stop | undefined, outcome: Outcome | undefined): ExitStatus {
  switch (stop?.reason) {
    case 'exit':
      return stop.value === 0 ? EXIT.done : EXIT.failed;
    case 'shutdown':
    case 'timeout':
    case 'interrupted':
      return EXIT.failed;
    case 'budget':
    case 'waiting':
      return EXIT.done;
    case undefined:
      return outcome !== undefined && isFailure(outcome) ? EXIT.failed : EXIT.done;
  }
}

/** The bytes that a guest writes to its console: passed on in pieces, kept for --json. */
class GuestConsole {
  readonly #output: Output;
  readonly #decoder = new TextDecoder();
  #pending: number[] = [];
  #text = '';

  constructor(machine: Machine, output: Output) {
    this.#output = output;
    machine.emissions$.subscribe((emission: Emission) => {
      if (emission.type === 'console/byteWritten') this.#pending.push(emission.byte);
    });
  }

  flush(): void {
    const bytes = Uint8Array.from(this.#pending);
    this.#pending = [];
    if (this.#output.json) this.#text += this.#decoder.decode(bytes, { stream: true });
    else this.#output.write(bytes);
  }

  text(): string {
    this.flush();
    return this.#text;
  }
}
