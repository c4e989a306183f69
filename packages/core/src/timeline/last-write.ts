// Who wrote it: the event that last wrote a location before a position, found by replaying backwards from keyframe to
// keyframe with a write trace.

import type { Decoded } from '../execute/decode.js';
import { effectOperands } from '../execute/effect-operands.js';
import { writesOf } from '../expression/check.js';
import type { EventLog } from '../machine/log.js';
import type { MachineDefinition } from '../plugin/host.js';
import { SLOT } from '../register/register-file.js';
import type { MachineDraft } from '../state/draft.js';
import type { MachineState } from '../state/machine.js';
import { type ResolvedLocation, readLocation } from './location.js';
import { type Step, walkSteps } from './step.js';

/** What was written in a stretch of the log: the last write, and the last one that changed the value. */
export interface StretchWrites {
  readonly last: Step | undefined;
  readonly lastChange: Step | undefined;
}

/** Looks through the positions from a state up to `to`. */
export function writesInStretch(
  definition: MachineDefinition,
  log: EventLog,
  from: MachineState,
  to: number,
  location: ResolvedLocation,
): StretchWrites {
  const watch = new WriteWatch(definition, location);
  let last: Step | undefined;
  let lastChange: Step | undefined;
  for (const step of walkSteps(definition, log, from, to, watch)) {
    if (watch.wrote) last = step;
    if (watch.changed) lastChange = step;
  }
  return { last, lastChange };
}

/** Watches one location over single steps. */
class WriteWatch {
  readonly #definition: MachineDefinition;
  readonly #location: ResolvedLocation;
  #before: unknown;
  wrote = false;
  changed = false;

  constructor(definition: MachineDefinition, location: ResolvedLocation) {
    this.#definition = definition;
    this.#location = location;
  }

  before(draft: MachineDraft): void {
    this.wrote = false;
    if (draft.writeTrace === undefined)
      draft.traceWrites({
        register: (processor, slot) => this.#register(processor, slot),
        memory: (address, bytes) => this.#memory(address, bytes),
      });
    this.#before = this.#value(draft);
  }

  after(draft: MachineDraft, _position: number, retired: boolean): void {
    const { lastInstruction } = draft.runner;
    if (retired && lastInstruction !== undefined)
      for (const slot of slotsWritten(this.#definition, lastInstruction)) this.#register(draft.current.id, slot);
    this.changed = !same(this.#before, this.#value(draft));
    this.wrote ||= this.changed;
  }

  #register(processor: number, slot: number): void {
    const { kind } = this.#location;
    if (
      kind === 'register' &&
      this.#location.processor === processor &&
      this.#definition.registers.slot(this.#location.register) === slot
    )
      this.wrote = true;
  }

  #memory(address: number, bytes: number): void {
    if (
      this.#location.kind === 'memory' &&
      address < this.#location.address + this.#location.bytes &&
      this.#location.address < address + bytes
    )
      this.wrote = true;
  }

  #value(draft: MachineDraft): unknown {
    const location = this.#location;
    switch (location.kind) {
      case 'register': {
        const value = draft.cpu(location.processor).read(location.register);
        return location.bit === undefined ? value : (value >> BigInt(location.bit)) & 1n;
      }
      case 'memory':
        return draft.memory.readBytes(location.address, location.bytes);
      case 'slice':
        return readLocation(this.#definition, location, draft.seal());
    }
  }
}

function same(left: unknown, right: unknown): boolean {
  if (left instanceof Uint8Array && right instanceof Uint8Array)
    return left.every((byte, index) => byte === right[index]);
  return Object.is(left, right);
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

function slotsOf({ registers, flags, rip }: ReturnType<typeof writesOf>): readonly number[] {
  const named = [...(flags.size > 0 ? ['RFLAGS'] : []), ...(rip ? ['RIP'] : [])];
  return [...[...registers].map(({ index }) => index), ...named.flatMap((name) => SLOT[name] ?? [])];
}
