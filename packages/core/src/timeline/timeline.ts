// A log that can be visited at any position: seek, single steps, searches, origins, differences, forks.
import { UsageError } from '../error.js';
import { applyTo } from '../event/apply.js';
import { isFailure, type Outcome } from '../event/outcome.js';
import { EventLog } from '../machine/log.js';
import type { MachineDefinition } from '../plugin/host.js';
import { DraftHost } from '../state/draft-host.js';
import { initialState } from '../state/initial-state.js';
import type { MachineState } from '../state/machine.js';
import { type Difference, diff } from './diff.js';
import { Keyframes } from './keyframes.js';
import { writesInStretch } from './last-write.js';
import { parseLocation, readLocation, resolveLocation } from './location.js';
import { observeSteps, type Step, walkSteps } from './step.js';
import { type Explanation, explain } from './why.js';

/** A position to go on from, with the log that led there. */
export interface ForkPoint {
  readonly definition: MachineDefinition;
  readonly state: MachineState;
  readonly log: EventLog;
}

/** States along the log that need no replay. */
export interface Anchors {
  /** The last one at or before a position; the initial state if there is none. */
  stateBefore(position: number): MachineState;
}

/** A recorded or running machine's past. The log may grow while it is visited. */
export class Timeline {
  readonly definition: MachineDefinition;
  readonly log: EventLog;
  readonly #keyframes: Keyframes;
  readonly #host: DraftHost;

  readonly #anchors: Anchors | undefined;

  /** `anchors` are states that somebody else keeps, such as the keyframes of a trace file. */
  constructor(
    definition: MachineDefinition,
    log: EventLog,
    initial: MachineState = initialState(definition),
    anchors?: Anchors,
  ) {
    this.definition = definition;
    this.log = log;
    this.#anchors = anchors;
    this.#keyframes = new Keyframes(initial);
    this.#host = new DraftHost(definition, initial);
  }

  /** Positions in the log; the state after the last event is at this position. */
  get length(): number {
    return this.log.length;
  }

  /** The state at a position, 0 to `length`. @throws UsageError for any other */
  seek(position: number): MachineState {
    if (!Number.isInteger(position) || position < 0 || position > this.length) {
      throw new UsageError(
        'NO_SUCH_POSITION',
        { position, length: this.length },
        `there is no position ${position}: 0 to ${this.length} are accepted`,
      );
    }
    const keyframe = this.#nearest(position);
    const here = this.#host.position;
    if (here > position || here < keyframe.position) this.#host.load(keyframe);
    while (this.#host.position < position)
      this.#replayTo(Math.min(position, this.#keyframes.nextBoundary(this.#host.position)));
    return this.#host.state();
  }

  /** The last state at or before a position that is there without replaying. */
  #nearest(position: number): MachineState {
    const own = this.#keyframes.before(position);
    const anchor = this.#anchors?.stateBefore(position);
    return anchor !== undefined && anchor.position > own.position ? anchor : own;
  }

  #replayTo(position: number): void {
    const draft = this.#host.draft();
    for (const { event } of this.log.slice(draft.position, position)) {
      applyTo(draft, event);
      draft.takeEmissions();
    }
    if (position % this.#keyframes.spacing === 0) this.#keyframes.offer(this.#host.state());
  }

  /** The single steps of a range of positions, made by replaying. */
  *steps(from = 0, to = this.length): IterableIterator<Step> {
    if (from < to) yield* walkSteps(this.definition, this.log, this.seek(from), Math.min(to, this.length));
  }

  /** What happened at a position. @throws UsageError if there is no event */
  stepAt(position: number): Step {
    this.log.at(position);
    const [step] = this.steps(position, position + 1);
    return step as Step;
  }

  /** The first step at or after a position for which the predicate holds. */
  next(predicate: (step: Step) => boolean, from = 0): Step | undefined {
    for (const step of this.steps(from)) if (predicate(step)) return step;
    return undefined;
  }

  /** The last step before a position for which the predicate holds. */
  previous(predicate: (step: Step) => boolean, before = this.length): Step | undefined {
    for (const [from, to] of this.#stretchesBefore(before)) {
      let found: Step | undefined;
      for (const step of walkSteps(this.definition, this.log, from, to)) if (predicate(step)) found = step;
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Stretches from keyframe to keyframe, the last one first. */
  *#stretchesBefore(before: number): IterableIterator<readonly [from: MachineState, to: number]> {
    this.seek(before);
    for (let to = before; to > 0; ) {
      // From an anchor far away this lays keyframes at full speed, so that few steps have to be looked at one by one.
      this.seek(to - 1);
      const from = this.#nearest(to - 1);
      yield [from, to];
      to = from.position;
    }
  }

  /** The value of a location at a position. */
  read(location: string, position = this.length): unknown {
    return readLocation(this.definition, parseLocation(this.definition, location), this.seek(position));
  }

  /**
   * The step that last wrote a location before a position; for a single bit, the one that last changed it, if any did.
   * Undefined if nothing wrote it since the initial state.
   * @throws UsageError for a location that this machine does not have
   */
  lastWrite(location: string, before = this.length): Step | undefined {
    const resolved = resolveLocation(this.definition, parseLocation(this.definition, location), this.seek(before));
    if (resolved === undefined) return undefined;
    let fallback: number | undefined;
    for (const [from, to] of this.#stretchesBefore(before)) {
      const { last, lastChange } = writesInStretch(this.definition, this.log, from, to, resolved);
      fallback ??= last;
      const isBit = resolved.kind === 'register' && resolved.bit !== undefined;
      const found = isBit ? lastChange : last;
      if (found !== undefined) return this.stepAt(found);
    }
    return fallback === undefined ? undefined : this.stepAt(fallback);
  }

  /** The last step before a position whose outcome is a failure. */
  lastFailure(before = this.length): Step | undefined {
    for (const [from, to] of this.#stretchesBefore(before)) {
      let found: number | undefined;
      const after = (_draft: unknown, position: number, outcome: Outcome): void => {
        if (isFailure(outcome)) found = position;
      };
      observeSteps(this.definition, this.log, from, to, { after });
      if (found !== undefined) return this.stepAt(found);
    }
    return undefined;
  }

  /** What differs between the states at two positions. */
  diff(from: number, to: number): IterableIterator<Difference> {
    return diff(this.definition, this.seek(from), this.seek(to));
  }

  /** Where a machine can go on from a position (resumeMachine): what it does never changes this timeline. */
  fork(position: number): ForkPoint {
    const state = this.seek(position);
    return {
      definition: this.definition,
      state,
      log: new EventLog([...this.log.slice(0, position)].map(({ event }) => event)),
    };
  }

  /** Why the step at a position failed: every violated rule with values and origins. Default: the last failure. */
  why(position?: number): Explanation | undefined {
    return explain(this, position);
  }
}
