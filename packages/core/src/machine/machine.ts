// createMachine: a machine that is changed by events and remembers them. Everything that happens to it goes through
// `apply` and `run`, both of which append to the log; state is sealed when somebody looks.
import type { Observable } from 'rxjs';
import { Subject } from 'rxjs/internal/Subject'; // the very class of rxjs, without the 200 files of its index
import type { CompiledListing } from '../compile/listing.js';
import { UsageError } from '../error.js';
import { applyTo, runSteps } from '../event/apply.js';
import type { Emission } from '../event/emission.js';
import { type MachineEvent, sealEvent } from '../event/event.js';
import { completed, type Outcome, sealOutcome } from '../event/outcome.js';
import { canRun } from '../interrupt/pending-events.js';
import type { Plugin } from '../plugin/define.js';
import { defineMachine, type MachineDefinition, type MachineOptions } from '../plugin/host.js';
import { DraftHost } from '../state/draft-host.js';
import { initialState } from '../state/initial-state.js';
import type { MachineState } from '../state/machine.js';
import { checkedAddress } from '../state/memory.js';
import { type ForkPoint, Timeline } from '../timeline/timeline.js';
import { EventLog } from './log.js';
import { makeProcessor, type Processor, type ProcessorHandle } from './processor.js';
import { type RunStop, requestedStop } from './run-stop.js';
import { nextTurn } from './schedule.js';

/** Timers go off for ever behind a mask: after so many in a row nobody is going to wake. */
const MOST_DEADLINES_WITHOUT_WAKING = 10_000;
/** While every processor that waits has interrupts masked, so that only an NMI would wake it. */
const MOST_DEADLINES_WITHOUT_NMI = 100;

/** An event that was applied: where, and how its last step ended. */
export interface AppliedEvent {
  /** Position before the event. */
  readonly position: number;
  readonly event: MachineEvent;
  readonly outcome: Outcome;
}

/** A finished run. */
export interface RunResult {
  readonly steps: number;
  readonly stop: RunStop;
}

/** What a recorded run of steps came to. */
interface Told {
  readonly outcome?: Outcome;
  /** What the guest asked for. */
  readonly stop?: RunStop | undefined;
}

/** A machine. Make one with createMachine. */
export class Machine<Plugins extends readonly Plugin[] = readonly Plugin[]> {
  readonly definition: MachineDefinition;
  readonly log: EventLog;
  readonly #host: DraftHost;
  readonly #processors: readonly ProcessorHandle[];
  readonly #events = new Subject<AppliedEvent>();
  readonly #outcomes = new Subject<AppliedEvent>();
  readonly #states = new Subject<MachineState>();
  readonly #emissions = new Subject<Emission>();
  #closed = false;
  /** In a row, over runs that were asked for in pieces. */
  #deadlinesWithoutWaking = 0;

  #timeline: Timeline | undefined;

  /** Use createMachine, or resumeMachine for one that goes on from a fork. */
  constructor(definition: MachineDefinition, state: MachineState = initialState(definition), log = new EventLog()) {
    this.definition = definition;
    this.log = log;
    this.#host = new DraftHost(definition, state);
    this.#processors = Array.from({ length: definition.processors }, (_, id) =>
      makeProcessor(this as unknown as Machine, id),
    );
  }

  /** Events as they enter the log; a run is one event a turn. Completes at `close`, errors with what ended the machine. */
  get events$(): Observable<AppliedEvent> {
    return this.#events.asObservable();
  }

  /** Each step with its outcome. While somebody listens, runs are single-stepped. */
  get outcomes$(): Observable<AppliedEvent> {
    return this.#outcomes.asObservable();
  }

  /** The sealed state after each event. */
  get state$(): Observable<MachineState> {
    return this.#states.asObservable();
  }

  /** What the machine says to the outside: console bytes, the value at a debug port. */
  get emissions$(): Observable<Emission> {
    return this.#emissions.asObservable();
  }

  /** The machine as immutable data. Sealing costs what changed since it was last asked for. */
  get state(): MachineState {
    return this.#host.state();
  }

  /** Events applied so far. */
  get position(): number {
    return this.#host.position;
  }

  /** Steps that generated code made since the machine was last brought into memory: says nothing of its state. */
  get compiledSteps(): number {
    return this.#host.peek().runner.compiledSteps;
  }

  /**
   * The block with an instruction at an address: what it does, its WebAssembly, and how positions are counted there. A
   * block that was not executed often enough is listed as it would be compiled. Addresses are linear, as RIP holds them.
   * @throws UsageError NOTHING_COMPILED, CODE_NEVER_EXECUTED, CODE_NEVER_COMPILED
   */
  listCompiled(address: bigint): CompiledListing {
    return this.#host.peek().runner.listCompiled(address);
  }

  /** The processor that `run` steps next; undefined if all wait for an input that nobody will send. */
  get nextProcessor(): number | undefined {
    return nextTurn(this.#host.peek())?.processor;
  }

  /** Steps that are left of a turn in progress; 0: the next step begins one. */
  get stepsLeftOfTurn(): number {
    const { turn } = this.#host.peek();
    return turn.used === 0 ? 0 : (nextTurn(this.#host.peek())?.steps ?? 0);
  }

  /** A processor with its intrinsics. @throws UsageError if there is none of the number */
  processor(id: number): Processor<Plugins> {
    const processor = this.#processors[id];
    if (processor === undefined) {
      throw new UsageError(
        'UNKNOWN_PROCESSOR',
        { processor: id, processors: this.#processors.length },
        `there is no processor ${id}: 0 to ${this.#processors.length - 1} are accepted`,
      );
    }
    return processor as Processor<Plugins>;
  }

  /** A register as it is now, without sealing anything. */
  readRegister(processor: number, register: string): bigint {
    return this.#host.peek().cpu(processor).read(register);
  }

  /** Bytes of physical memory as they are now. */
  readMemory(address: bigint | number, length: number): Uint8Array {
    return this.#host.peek().memory.readBytes(checkedAddress(address), length);
  }

  /** Writes physical memory as a loader or debugger does: an event. The bytes are copied. */
  writeMemory(address: bigint | number, bytes: Uint8Array): Outcome {
    return this.apply({ type: 'memory/written', address: checkedAddress(address), bytes: bytes.slice() });
  }

  /** Applies one event and appends it to the log. A thrown error leaves state and log as they were. */
  apply(given: MachineEvent): Outcome {
    this.#checkOpen();
    const event = sealEvent(given);
    const draft = this.#host.draft();
    const { position } = draft;
    try {
      const outcome = applyTo(draft, event);
      this.#append({ position, event, outcome });
      return outcome;
    } catch (thrown) {
      if (!(thrown instanceof UsageError) && this.log.length === position) this.#restore();
      throw thrown;
    }
  }

  /** Steps one processor, whoever's turn it is, and returns how its last step ended. */
  step(processor: number, steps = 1): Outcome {
    let { steps: taken, outcome, stop } = this.#runTurn(processor, steps);
    for (let last = taken; last > 0 && taken < steps && stop === undefined; taken += last) {
      const ran = this.#runTurn(processor, steps - taken); // over PAUSE and HLT
      last = ran.steps;
      if (last > 0) ({ outcome, stop } = ran);
    }
    return outcome;
  }

  /**
   * Runs fetched instructions, processors in turns, until all wait, one shuts down, a device ends it or the steps are used up.
   * @throws NotModelled with the machine at the boundary before the gap; what ran before it is in the log
   */
  run({ maxSteps = Number.MAX_SAFE_INTEGER }: { readonly maxSteps?: number } = {}): RunResult {
    let steps = 0;
    while (steps < maxSteps) {
      const turn = nextTurn(this.#host.peek());
      if (turn === undefined) return { steps, stop: { reason: 'waiting' } };
      const ran = this.#runTurn(turn.processor, Math.min(turn.steps, maxSteps - steps));
      steps += ran.steps;
      this.#deadlinesWithoutWaking = ran.outcome.kind === 'halted' ? this.#deadlinesWithoutWaking + 1 : 0;
      if (this.#deadlinesWithoutWaking >= this.#mostDeadlines()) return { steps, stop: { reason: 'waiting' } };
      if (ran.stop !== undefined) return { steps, stop: ran.stop };
      if (ran.outcome.kind === 'shutdown' && !canRun(this.#host.peek().cpu(turn.processor)))
        return { steps, stop: { reason: 'shutdown', processor: turn.processor, outcome: ran.outcome } };
    }
    return { steps, stop: { reason: 'budget' } };
  }

  #mostDeadlines(): number {
    if (this.#deadlinesWithoutWaking < MOST_DEADLINES_WITHOUT_NMI) return MOST_DEADLINES_WITHOUT_NMI;
    const draft = this.#host.peek();
    const masked = Array.from({ length: draft.processorCount }, (_, id) => !draft.cpu(id).RFLAGS.IF);
    return masked.includes(false) ? MOST_DEADLINES_WITHOUT_WAKING : MOST_DEADLINES_WITHOUT_NMI;
  }

  /** The machine's past: it grows as the machine runs, and visiting it never disturbs the machine. */
  timeline(): Timeline {
    this.#timeline ??= new Timeline(this.definition, this.log);
    return this.#timeline;
  }

  /** Another machine that goes on from a position of this one. */
  fork(position: number): Machine<Plugins> {
    return resumeMachine(this.timeline().fork(position)) as Machine<Plugins>;
  }

  /** Says that nothing more will happen: the streams complete. */
  close(): void {
    this.#closed = true;
    for (const subject of [this.#events, this.#outcomes, this.#states, this.#emissions]) subject.complete();
    this.#host.release();
  }

  #checkOpen(): void {
    if (this.#closed)
      throw new UsageError('MACHINE_CLOSED', {}, 'the machine was closed: nothing more can happen to it');
  }

  #runTurn(processor: number, most: number): { steps: number; outcome: Outcome; stop: RunStop | undefined } {
    this.#checkOpen();
    let steps = 0;
    let outcome: Outcome = completed();
    while (steps < most) {
      const piece = this.#runPiece(processor, this.#outcomes.observed ? 1 : most - steps);
      steps += piece.steps;
      outcome = piece.outcome;
      if (piece.ended) return { steps, outcome, stop: piece.stop };
    }
    return { steps, outcome, stop: undefined };
  }

  #runPiece(
    processor: number,
    most: number,
  ): { steps: number; outcome: Outcome; ended: boolean; stop: RunStop | undefined } {
    const draft = this.#host.draft();
    const { position } = draft;
    draft.runner.stopRequested = false;
    let steps = 0;
    let failure: { readonly thrown: unknown } | undefined;
    try {
      steps = runSteps(draft, processor, most);
    } catch (thrown) {
      steps = draft.position - position;
      failure = { thrown };
      if (steps > 0 || !(thrown instanceof UsageError)) this.#restore();
      if (steps > 0) runSteps(this.#host.draft(), processor, steps);
    }
    const { lastOutcome: outcome } = this.#host.draft().runner;
    const goesOn = steps === most && this.#host.draft().cpu(processor).activity === 'active';
    // What ran before an error is told before the error is.
    const retired = Object.freeze({ type: 'processor/stepsRetired', processor, steps } as const);
    const told = steps > 0 ? this.#record(position, retired, outcome) : {};
    if (failure !== undefined) this.#fail(failure.thrown);
    const { stop } = told;
    return { steps, outcome: told.outcome ?? outcome, ended: !goesOn || stop !== undefined, stop };
  }

  /**
   * Goes back to where the log ends. An error leaves the draft within an event: a fetch that set accessed flags, say, of
   * an instruction that is not modelled.
   */
  #restore(): void {
    this.#host.discard();
    const draft = this.#host.draft();
    for (const { event } of this.log.slice(draft.position, this.log.length)) applyTo(draft, event);
    draft.takeEmissions();
    draft.runner.stopRequested = false; // what is replayed may end with the exit that ended an earlier run
  }

  #record(position: number, given: MachineEvent, outcome: Outcome): Told {
    const event = sealEvent(given);
    const hazards = this.#host.draft().takeHazards();
    const told = sealOutcome(hazards.length === 0 ? outcome : ({ ...outcome, hazards } as Outcome));
    return { outcome: told, stop: this.#append({ position, event, outcome: told }) };
  }

  /** Returns what the guest asked for. */
  #append(applied: AppliedEvent): RunStop | undefined {
    this.log.append(applied.event);
    const emissions = this.#host.draft().takeEmissions(); // before a listener makes the draft give up its workbench
    if (this.#events.observed) this.#events.next(Object.freeze(applied));
    if (this.#states.observed) this.#states.next(this.state);
    for (const emission of emissions) this.#emissions.next(emission);
    if (this.#outcomes.observed) this.#outcomes.next(Object.freeze(applied));
    return emissions.map(requestedStop).findLast((stop) => stop !== undefined);
  }

  #fail(thrown: unknown): never {
    for (const subject of [this.#events, this.#outcomes, this.#states]) if (subject.observed) subject.error(thrown);
    throw thrown;
  }
}

/**
 * Makes a machine.
 * @throws UsageError for an option out of range, PluginError for plugins that cannot live together, ImageError for a boot image that does not fit
 * @example const machine = createMachine({ profile: 'intel-server', processors: 2, boot: longMode() });
 */
export function createMachine<const Plugins extends readonly Plugin[] = readonly []>(
  options: MachineOptions<Plugins>,
): Machine<Plugins> {
  return new Machine<Plugins>(defineMachine(options));
}

/** A machine that goes on from a fork of a timeline. */
export function resumeMachine({ definition, state, log }: ForkPoint): Machine {
  return new Machine(definition, state, log);
}
