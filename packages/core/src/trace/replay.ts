// Verification: the machine is made again, every event applied, every recorded digest compared. It stops at the first one
// that differs and shows both sides.
import { DivergenceError, InternalError, RetrovisorError } from '../error.js';
import { applyTo } from '../event/apply.js';
import { EventLog } from '../machine/log.js';
import type { MachineDefinition } from '../plugin/host.js';
import { DraftHost } from '../state/draft-host.js';
import { initialState } from '../state/initial-state.js';
import type { MachineState } from '../state/machine.js';
import { type Difference, diff } from '../timeline/diff.js';
import { definitionOf, type MachineParts } from './definition-of.js';
import { formatDigest, sameDigest, stateDigest } from './digest.js';
import type { RecordedDigest, Trace } from './reader.js';

/** How a trace is verified. */
export interface VerifyOptions extends MachineParts {
  /** Hears every now and then how far the replay is. An exception thrown here ends it. */
  readonly onProgress?: (position: number) => void;
}

/** A trace that was verified. */
export interface Verification {
  /** Positions replayed: all that can be read. */
  readonly positions: number;
  /** Recorded events, runs of steps counted as one. */
  readonly events: number;
  /** Digests compared. */
  readonly digests: number;
  /** The digest of the last state, as 64 hexadecimal digits. */
  readonly digest: string;
}

/** Positions between reports of progress. */
const STRETCH = 1_000_000;
/** Differences that a divergence lists. */
const MOST_DIFFERENCES = 32;

/**
 * Replays a trace and compares every digest.
 * @throws DivergenceError at the first digest that differs or event that cannot be applied; PluginError and
 * TraceFormatError as definitionOf and Trace.events do
 */
export function verify(trace: Trace, { onProgress, ...parts }: VerifyOptions = {}): Verification {
  const definition = definitionOf(trace.header, parts);
  const replay = new Replay(trace, definition, onProgress);
  try {
    let digests = 0;
    for (const recorded of trace.digests()) {
      replay.to(recorded.position);
      replay.compare(recorded);
      digests++;
    }
    replay.to(trace.length);
    return { positions: trace.length, events: replay.events, digests, digest: formatDigest(stateDigest(replay.state)) };
  } finally {
    replay.end();
  }
}

/** The events of a trace as a log, for a timeline. @throws as definitionOf and Trace.events do */
export function logOf(trace: Trace, definition: MachineDefinition): EventLog {
  const log = new EventLog();
  for (const { event } of trace.events({ definition })) log.append(event);
  return log;
}

/** A machine that goes through a trace. */
class Replay {
  /** Recorded events seen so far. */
  events = 0;
  readonly #trace: Trace;
  readonly #definition: MachineDefinition;
  readonly #onProgress: VerifyOptions['onProgress'];
  readonly #host: DraftHost;
  #agreedUpTo = 0;

  constructor(trace: Trace, definition: MachineDefinition, onProgress: VerifyOptions['onProgress']) {
    this.#trace = trace;
    this.#definition = definition;
    this.#onProgress = onProgress;
    this.#host = new DraftHost(definition, initialState(definition));
  }

  get state(): MachineState {
    return this.#host.state();
  }

  to(position: number): void {
    while (this.#host.position < position) {
      const from = this.#host.position;
      this.#stretch(from, Math.min(position, from + STRETCH));
      this.#onProgress?.(this.#host.position);
    }
  }

  #stretch(from: number, to: number): void {
    const draft = this.#host.draft();
    for (const { position, event } of this.#trace.events({ from, to, definition: this.#definition })) {
      try {
        applyTo(draft, event);
      } catch (thrown) {
        throw this.#stopped(thrown, position);
      }
      draft.takeEmissions();
      this.events++;
    }
  }

  /** An event was recorded, so that it can be applied: if not, this machine is another one than that of the trace. */
  #stopped(thrown: unknown, position: number): unknown {
    if (!(thrown instanceof RetrovisorError) || thrown instanceof InternalError) return thrown;
    const { code, details, message } = thrown;
    const facts = { position, agreedUpTo: this.#agreedUpTo, cause: code, ...details };
    return new DivergenceError(
      'REPLAY_STOPPED',
      facts,
      `the event recorded at position ${position} cannot be replayed: ${message}`,
    );
  }

  compare({ position, digest }: RecordedDigest): void {
    const state = this.#host.state();
    const here = stateDigest(state);
    if (!sameDigest(digest, here)) throw this.#diverged(state, formatDigest(digest), formatDigest(here));
    this.#agreedUpTo = position;
  }

  #diverged(state: MachineState, recorded: string, computed: string): DivergenceError {
    const { position } = state;
    const differences = this.#differences(state);
    const where =
      differences.length === 0 ? '' : `; it differs in ${differences.map(({ location }) => location).join(', ')}`;
    const facts = { position, recorded, computed, agreedUpTo: this.#agreedUpTo, differences };
    return new DivergenceError(
      'DIGEST_DIFFERS',
      facts,
      `at position ${position} the state has digest ${computed}, recorded is ${recorded}${where}; up to position ${this.#agreedUpTo} all agree`,
    );
  }

  /** What differs is known only where a keyframe was recorded too; `before` is the recorded side. */
  #differences(state: MachineState): readonly Difference[] {
    if (!this.#trace.keyframes.includes(state.position)) return [];
    try {
      const recorded = this.#trace.stateBefore(state.position, this.#definition);
      return firstOf(diff(this.#definition, recorded, state), MOST_DIFFERENCES);
    } catch (thrown) {
      // The divergence is the news; a keyframe that does not fit this machine is a consequence of it.
      if (thrown instanceof RetrovisorError) return [];
      throw thrown;
    }
  }

  end(): void {
    this.#host.abandon();
  }
}

function firstOf<Item>(items: Iterable<Item>, most: number): readonly Item[] {
  const first: Item[] = [];
  for (const item of items) {
    if (first.length === most) break;
    first.push(item);
  }
  return first;
}
