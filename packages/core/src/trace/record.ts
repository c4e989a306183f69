// From a machine or a log to a trace: recording while it runs, or saving what is already there.

import type { EventLog } from '../machine/log.js';
import type { AppliedEvent, Machine } from '../machine/machine.js';
import type { MachineDefinition } from '../plugin/host.js';
import type { MachineState } from '../state/machine.js';
import { Timeline } from '../timeline/timeline.js';
import { type TraceSink, TraceWriter, type TraceWriterOptions } from './writer.js';

/** How often digests, keyframes and chunks are written. */
export type RecordOptions = Omit<TraceWriterOptions, 'state'>;

/** A recording that goes on until it is closed. */
export interface Recording {
  /** Positions recorded so far. */
  readonly position: number;
  /** Bytes that have left for the sink. */
  readonly bytesWritten: number;
  /** Ends the trace with all that the machine did. @throws what a failed write threw while the machine ran */
  close(): void;
}

/**
 * Records everything that a machine did and will do.
 * @example const recording = recordMachine(machine, memorySink());
 */
export function recordMachine(machine: Machine, sink: TraceSink, options: RecordOptions = {}): Recording {
  return new Recorder(machine, sink, options);
}

/** Writes a whole log as a trace: a fork, or a machine that nobody recorded. Digests are made by replaying. */
export function writeTrace(
  definition: MachineDefinition,
  log: EventLog,
  sink: TraceSink,
  options: RecordOptions = {},
): void {
  const past = new Past(definition, log);
  const writer: TraceWriter = new TraceWriter(definition, sink, { ...options, state: () => past.at(writer.position) });
  for (const { event, position } of log.entries()) writer.append(event, position);
  writer.close();
}

/** States of a log, replayed only when somebody asks. */
class Past {
  readonly #definition: MachineDefinition;
  readonly #log: EventLog;
  #timeline: Timeline | undefined;

  constructor(definition: MachineDefinition, log: EventLog) {
    this.#definition = definition;
    this.#log = log;
  }

  at(position: number): MachineState {
    this.#timeline ??= new Timeline(this.#definition, this.#log);
    return this.#timeline.seek(position);
  }
}

class Recorder implements Recording {
  readonly #machine: Machine;
  readonly #writer: TraceWriter;
  readonly #subscription: { unsubscribe(): void };
  #failure: { readonly thrown: unknown } | undefined;

  constructor(machine: Machine, sink: TraceSink, options: RecordOptions) {
    this.#machine = machine;
    const past = new Past(machine.definition, machine.log);
    const state = () => (this.position === machine.position ? machine.state : past.at(this.position));
    this.#writer = new TraceWriter(machine.definition, sink, { ...options, state });
    this.#catchUp();
    // The log is the truth, the stream says when to look: an error in the stream (NotModelled) may end it before the
    // last steps were announced, and `close` takes them from the log.
    this.#subscription = machine.events$.subscribe({ next: (applied) => this.#listen(applied), error: () => {} });
  }

  get position(): number {
    return this.#writer.position;
  }

  get bytesWritten(): number {
    return this.#writer.bytesWritten;
  }

  /** A subscriber that throws is reported by RxJS out of anybody's reach: the failure is kept for `close`. */
  #listen({ event, position }: AppliedEvent): void {
    if (this.#failure !== undefined) return;
    try {
      if (position === this.position) this.#writer.append(event, position);
      else this.#catchUp();
    } catch (thrown) {
      this.#failure = { thrown };
    }
  }

  #catchUp(): void {
    const { log } = this.#machine;
    for (const { event, position } of log.slice(this.#writer.position, log.length))
      this.#writer.append(event, position);
  }

  close(): void {
    this.#subscription.unsubscribe();
    if (this.#failure !== undefined) throw this.#failure.thrown;
    this.#catchUp();
    this.#writer.close();
  }
}
