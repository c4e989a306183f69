// A keyframe in a file: a whole state, told as what changed since the keyframe before it (the first one: since the initial
// state, which the header describes). Reading one builds a state as sealing does, from the registers that the machine
// has, and compares its digest: a keyframe leads to the recorded state or to an error, never to another state.
import { TraceFormatError } from '../error.js';
import type { MachineDefinition } from '../plugin/host.js';
import { ACTIVITY, type RegisterFile, type RegisterGroup } from '../register/register-file.js';
import type { MachineState } from '../state/machine.js';
import { framesOf, PhysicalMemory } from '../state/memory.js';
import type { ProcessorState } from '../state/processor.js';
import { firstProcessorState, loadProcessor, registerOf } from '../state/seal-processor.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { readCanonical, writeCanonical } from './canonical.js';
import { DIGEST_BYTES, formatDigest, sameDigest, stateDigest } from './digest.js';
import { readFrames, writeFrames } from './frame-delta.js';

/** What changed beside the memory. Parts that are the same as before are absent. */
interface Changes {
  readonly turn: MachineState['turn'];
  readonly plugins?: MachineState['plugins'];
  /** By processor number. */
  readonly processors: Readonly<Record<string, unknown>>;
}

/** The payload of a keyframe. */
export function encodeKeyframe(before: MachineState, after: MachineState): Uint8Array {
  const processors = after.processors.flatMap((processor, id) =>
    processor === before.processors[id] ? [] : [[String(id), recordOf(processor)] as const],
  );
  const changes: Changes = {
    turn: after.turn,
    processors: Object.fromEntries(processors),
    ...(after.plugins === before.plugins ? {} : { plugins: after.plugins }),
  };
  const writer = new ByteWriter().raw(stateDigest(after));
  writeCanonical(writer, changes);
  writeFrames(writer, framesOf(before.memory), framesOf(after.memory));
  return writer.take();
}

/** A processor without what follows from the rest. */
function recordOf({ id: _id, activity: _activity, ...record }: ProcessorState): unknown {
  return record;
}

/** What is needed to read a keyframe. */
export interface KeyframeContext {
  readonly definition: MachineDefinition;
  /** The state of the keyframe before, or the initial state. */
  readonly before: MachineState;
  /** Where the payload lies in the file. */
  readonly base: number;
  readonly position: number;
  readonly mostBytes: number;
}

/** The state behind a payload. @throws TraceFormatError if it is no keyframe of this machine or has another digest */
export function decodeKeyframe(
  payload: Uint8Array,
  { definition, before, base, position, mostBytes }: KeyframeContext,
): MachineState {
  const reader = new ByteReader(payload, base);
  const recorded = reader.raw(DIGEST_BYTES);
  const changes = readChanges(reader, definition);
  const frames = readFrames(reader, framesOf(before.memory), { ranges: definition.ranges, mostBytes });
  reader.end();
  const state: MachineState = Object.freeze({
    position,
    processors: Object.freeze(
      before.processors.map((old, id) =>
        processorFrom(reader, definition.registers, old, changes.processors[String(id)]),
      ),
    ),
    memory: new PhysicalMemory(frames, definition.ranges),
    turn: changes.turn,
    plugins: changes.plugins === undefined ? before.plugins : slicesLike(reader, before.plugins, changes.plugins),
  });
  const computed = stateDigest(state);
  if (sameDigest(recorded, computed)) return state;
  const [found, expected] = [recorded, computed].map(formatDigest);
  throw new TraceFormatError(
    'TRACE_KEYFRAME',
    { offset: base, position, found, expected },
    `the keyframe of position ${position} does not hold the state that its digest promises`,
  );
}

function readChanges(reader: ByteReader, definition: MachineDefinition): Changes {
  const { offset } = reader;
  const changes = frozen(readCanonical(reader));
  const refuse = (what: string): never => reader.refuse(what, 'something else', offset);
  if (!isRecord(changes) || !isRecord(changes['turn']) || !isRecord(changes['processors']))
    return refuse('turn and processors of a keyframe');
  const { turn, processors, plugins } = changes;
  const ids = Object.keys(processors as object);
  if (!ids.every((id) => String(Number(id)) === id && Number(id) < definition.processors))
    refuse('processors of this machine');
  if (plugins !== undefined && !isRecord(plugins)) refuse('slices by plugin');
  const { processor, used, number } = turn as Readonly<Record<string, unknown>>;
  const isNumbered = number === undefined ? definition.schedule === undefined : Number.isSafeInteger(number);
  if (!isBelow(processor, definition.processors) || !isBelow(used, definition.quantum) || !isNumbered)
    refuse('a turn of this machine');
  return changes as unknown as Changes;
}

function isBelow(value: unknown, limit: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < limit;
}

/** A processor with the register groups that the machine has, each register of its width. */
function processorFrom(
  reader: ByteReader,
  registers: RegisterFile,
  before: ProcessorState,
  recorded: unknown,
): ProcessorState {
  if (recorded === undefined) return before;
  const refuse = (what: string, found: unknown): never =>
    reader.refuse(`${what} of processor ${before.id}`, found, reader.offset);
  if (!isRecord(recorded) || !isRecord(recorded['plugins'])) return refuse('the registers', typeof recorded);
  const state = recorded as unknown as ProcessorState;
  for (const { group, name, width } of registers.rows) {
    const value = registerIn(state, group, name);
    if (typeof value !== 'bigint' || BigInt.asUintN(width, value) !== value) refuse(`${width} bits in ${name}`, value);
  }
  if (state.internal.activity >= BigInt(ACTIVITY.length)) refuse('an activity state', state.internal.activity);
  const words = new Int32Array(registers.slotCount * 2);
  loadProcessor(registers.rows, state, words);
  return firstProcessorState(registers, words, before.id, slicesLike(reader, before.plugins, state.plugins));
}

function registerIn(state: ProcessorState, group: RegisterGroup, name: string): unknown {
  return isRecord(state[group]) ? registerOf(state, group, name) : undefined;
}

/** Slices of the same plugins as before. What is inside a slice only its plugin knows. */
function slicesLike(
  reader: ByteReader,
  before: MachineState['plugins'],
  slices: MachineState['plugins'],
): MachineState['plugins'] {
  const [expected, found] = [before, slices].map((each) => Object.keys(each).toSorted().join(', '));
  if (expected !== found) reader.refuse(`slices of ${expected || 'no plugin'}`, found || 'none');
  return slices;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

/** Frozen through and through, like all that is sealed. Bytes cannot be frozen, and no slice holds any. */
function frozen<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}
