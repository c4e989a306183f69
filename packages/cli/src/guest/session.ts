// What `run` and `record` share: a guest goes, its console is passed on, and how it ended is told.
import { isFailure, type Machine, NotModelled, type Outcome } from '@retrovisor/core';
import { EXIT, type ExitStatus } from '../exit-status.js';
import type { Colours } from '../output/colour.js';
import type { Output } from '../output/output.js';
import { GuestConsole } from './console.js';
import { crashReport, crashText } from './crash-report.js';
import type { Guest } from './guest.js';
import { InstructionTrace } from './instruction-trace.js';
import { type LimitedRun, type Limits, runWithLimits, type Stop } from './limits.js';
import { NO_INPUT, StreamInput } from './serial-input.js';

/** What of the options is about the run, not the machine. */
export interface SessionOptions extends Limits {
  readonly serial?: readonly string[] | undefined;
  readonly exitCode?: 'plain' | 'qemu' | undefined;
  /** A file, or `-`. */
  readonly traceInstructions?: string | undefined;
}

/** A guest that has ended. */
export interface Session {
  readonly guest: Guest;
  /** How the last thing that it did came out. */
  readonly outcome: Outcome | undefined;
  /** For an image: why it stopped. */
  readonly run: LimitedRun | undefined;
  /** Everything that it wrote to its console. */
  readonly console: string;
  /** One of the four, or with --exit-code qemu what QEMU would return. */
  readonly status: number;
}

/** Lets a guest go to its end. @throws ScriptError, NotModelled, UsageError and InputError for options */
export async function runGuest(guest: Guest, options: SessionOptions, output: Output): Promise<Session> {
  const { machine, script } = guest;
  const console = new GuestConsole(machine, output, options.serial ?? []);
  const trace =
    options.traceInstructions === undefined ? undefined : new InstructionTrace(machine, options.traceInstructions);
  const watch = watchOutcomes(machine);
  try {
    const run = script === undefined ? await runImage(guest, options, output, console, trace) : undefined;
    const returned = script === undefined ? undefined : await withConsoleAside(output, () => script.drive(machine));
    const outcome = isOutcome(returned) ? returned : watch.last();
    const status = statusOfEnd(run?.stop, outcome, options.exitCode ?? 'plain');
    return { guest, run, outcome, console: console.text(), status };
  } catch (error) {
    console.flush();
    output.freshLine();
    if (error instanceof NotModelled) output.report((colours) => gapText(guest, colours));
    throw error;
  } finally {
    watch.end();
    trace?.close();
    console.close();
    output.freshLine();
  }
}

/** Where a guest stands in front of what is not modelled: the state at the boundary before it. */
function gapText({ path, machine }: Guest, colours: Colours): string {
  const processor = machine.nextProcessor ?? machine.state.turn.processor;
  const report = crashReport(machine, processor, undefined);
  return `${crashText(report, colours)}\n${path}: stopped before position ${machine.position}`;
}

async function runImage(
  { machine, path }: Guest,
  options: SessionOptions,
  output: Output,
  console: GuestConsole,
  trace: InstructionTrace | undefined,
): Promise<LimitedRun> {
  const progress = output.progress(path, options.maxInstructions);
  const input = options.serial?.[0] === 'stdio' ? new StreamInput(process.stdin) : NO_INPUT;
  const afterSlice = async (steps: number): Promise<void> => {
    console.flush();
    trace?.follow();
    progress.update(steps);
    await output.drained();
  };
  try {
    return await runWithLimits(machine, options, afterSlice, input);
  } finally {
    input.close();
    progress.hide();
  }
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

/** What QEMU's debug exit makes of a value; a shell sees the low eight bits. */
const qemuStatus = (value: number): number => ((value << 1) | 1) & 0xff;
/** With --exit-code qemu: an end without a value. Even, as no value gives it, and no success. */
const NO_VALUE = 4;

function statusOfEnd(stop: Stop | undefined, outcome: Outcome | undefined, code: 'plain' | 'qemu'): number {
  if (code === 'plain' || stop === undefined) return plainStatus(stop, outcome);
  return stop.reason === 'exit' ? qemuStatus(stop.value) : NO_VALUE;
}

/** Reaching a limit that counts is what was asked for; running out of patience is not. */
function plainStatus(stop: Stop | undefined, outcome: Outcome | undefined): ExitStatus {
  switch (stop?.reason) {
    case 'exit':
      return stop.value === 0 ? EXIT.done : EXIT.failed;
    case 'power-off':
      return EXIT.done;
    case 'reset':
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
