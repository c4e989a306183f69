// Who wrote it: the event that last wrote a location before a position, found by replaying backwards from keyframe to
// keyframe with a write trace.

import { applyTo } from '../event/apply.js';
import type { Outcome } from '../event/outcome.js';
import type { Decoded } from '../execute/decode.js';
import { effectOperands } from '../execute/effect-operands.js';
import { ENDED_WORD } from '../execute/evaluate/commit.js';
import { writesOf } from '../expression/check.js';
import type { EventLog } from '../machine/log.js';
import type { MachineDefinition } from '../plugin/host.js';
import { SLOT } from '../register/register-file.js';
import type { MachineDraft } from '../state/draft.js';
import { DraftHost } from '../state/draft-host.js';
import type { MachineState } from '../state/machine.js';
import { partOfRegister, type ResolvedLocation, readLocation } from './location.js';
import { observeSteps, type StepObserver } from './step.js';

/** Positions of what was written in a stretch of the log: the last write, and the last one that changed the value. */
export interface StretchWrites {
  readonly last: number | undefined;
  readonly lastChange: number | undefined;
}

/** Looks through the positions from a state up to `to`. */
export function writesInStretch(
  definition: MachineDefinition,
  log: EventLog,
  from: MachineState,
  to: number,
  location: ResolvedLocation,
): StretchWrites {
  if (location.kind === 'memory')
    return { last: lastStore(definition, log, from, to, location), lastChange: undefined };
  const watch = new WriteWatch(definition, location);
  observeSteps(definition, log, from, to, watch);
  return watch;
}

/** Stores tell the trace where they go and the draft knows its position: runs need not be cut into steps. */
function lastStore(
  definition: MachineDefinition,
  log: EventLog,
  from: MachineState,
  to: number,
  { address, bytes }: ResolvedLocation & { kind: 'memory' },
): number | undefined {
  const host = new DraftHost(definition, from);
  let last: number | undefined;
  try {
    const draft = host.draft();
    const memory = (start: number, length: number): void => {
      if (start < address + bytes && address < start + length) last = draft.position;
    };
    draft.traceWrites({ register: () => {}, memory });
    for (const { event } of log.slice(from.position, to)) {
      applyTo(draft, event);
      draft.takeEmissions();
    }
    return last;
  } finally {
    host.abandon();
  }
}

/** A register or a part of a slice. */
type WatchedLocation = Exclude<ResolvedLocation, { kind: 'memory' }>;

/** Watches one location over single steps. */
class WriteWatch implements StepObserver, StretchWrites {
  readonly #definition: MachineDefinition;
  readonly #location: WatchedLocation;
  #before: unknown;
  #wrote = false;
  last: number | undefined;
  lastChange: number | undefined;

  constructor(definition: MachineDefinition, location: WatchedLocation) {
    this.#definition = definition;
    this.#location = location;
  }

  before(draft: MachineDraft): void {
    this.#wrote = false;
    if (draft.writeTrace === undefined)
      draft.traceWrites({ register: (processor, slot) => this.#register(processor, slot), memory: () => {} });
    this.#before = this.#value(draft);
    draft.bench.words[ENDED_WORD] = 0;
  }

  after(draft: MachineDraft, position: number, _outcome: Outcome, retired: boolean): void {
    const { lastInstruction } = draft.runner;
    if (retired && lastInstruction !== undefined && draft.bench.words[ENDED_WORD] === 0)
      for (const slot of slotsWritten(this.#definition, lastInstruction)) this.#register(draft.current.id, slot);
    const changed = !Object.is(this.#before, this.#value(draft));
    if (changed) this.lastChange = position;
    if (changed || this.#wrote) this.last = position;
  }

  #register(processor: number, slot: number): void {
    const { kind } = this.#location;
    if (
      kind === 'register' &&
      this.#location.processor === processor &&
      this.#definition.registers.slot(this.#location.register) === slot
    )
      this.#wrote = true;
  }

  #value(draft: MachineDraft): unknown {
    const location = this.#location;
    switch (location.kind) {
      case 'register': {
        const value = draft.cpu(location.processor).read(location.register);
        return partOfRegister(location, value);
      }
      case 'slice':
        return readLocation(this.#definition, location, draft.seal());
    }
  }
}

const written = new WeakMap<Decoded, readonly number[]>();

/** Slots that an expression-form instruction writes; the function form tells the trace itself. */
function slotsWritten({ instructions }: MachineDefinition, decoded: Decoded): readonly number[] {
  let slots = written.get(decoded);
  if (slots === undefined) {
    const definition = instructions.get(decoded.mnemonic);
    slots =
      definition?.form === 'expression'
        ? slotsOf(writesOf(definition.effect(effectOperands(decoded, decoded.codeWidth))))
        : [];
    written.set(decoded, slots);
  }
  return slots;
}

function slotsOf({ registers, flags, rip, named: others }: ReturnType<typeof writesOf>): readonly number[] {
  const named = [...others, ...(flags.size > 0 ? ['RFLAGS'] : []), ...(rip ? ['RIP'] : [])];
  return [...[...registers].map(({ index }) => index), ...named.flatMap((name) => SLOT[name] ?? [])];
}
