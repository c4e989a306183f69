// Events as bytes. A payload tells how many positions and events it holds, then each event: its form and processor in one
// number, then its fields. Names stand once in a payload and are referred to by number after that. Payloads of plugin
// events are self-describing (field names, canonical data), so that a trace can be listed without its plugins.
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import type { IntrinsicExecuted, MachineEvent, MemoryWritten, RegisterSet, StepsRetired } from '../event/event.js';
import { isStepsRetired, positionsOf } from '../event/event.js';
import type { LogEntry } from '../machine/log.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { encodeCanonical, readCanonical } from './canonical.js';

/** The low three bits of an event's first number; the processor stands above them. */
const FORM = { steps: 0, intrinsic: 1, register: 2, memory: 3, defined: 4 } as const;
const FORMS = 8;
/** What one event takes at least: its first number and one of its fields. */
const SHORTEST_EVENT = 2;
/** Bytes of an integer: the 1024 bits that trace/event-check.ts lets in. */
const LONGEST_INTEGER = 128;
/** Up to here a number is as exact as a bigint, and faster. */
const EXACT = 2n ** 53n - 1n;

/** Events on their way into one chunk. */
export class EventBlock {
  readonly #writer = new ByteWriter();
  readonly #names = new Map<string, number>();
  /** A run of steps that may still go on. */
  #run: StepsRetired | undefined;
  #events = 0;
  #positions = 0;

  get events(): number {
    return this.#events;
  }

  get bytes(): number {
    return this.#writer.length;
  }

  append(event: MachineEvent): void {
    if (isStepsRetired(event)) {
      this.#positions += event.steps;
      if (this.#run?.processor === event.processor) this.#run = { ...this.#run, steps: this.#run.steps + event.steps };
      else this.#startRun(event);
      return;
    }
    // What cannot be encoded throws here, before anything of the event is in the block.
    const fields = isCoreType(event.type) ? [] : encodedFields(event);
    this.#endRun();
    this.#events++;
    this.#positions++;
    this.#write(event, fields);
  }

  /** The payload of a chunk with these events; the block is empty afterwards. */
  take(): Uint8Array {
    this.#endRun();
    const payload = new ByteWriter().varint(this.#positions).varint(this.#events).raw(this.#writer.take()).take();
    this.#writer.clear();
    this.#names.clear();
    this.#events = 0;
    this.#positions = 0;
    return payload;
  }

  #startRun(run: StepsRetired): void {
    this.#endRun();
    this.#events++;
    this.#run = run;
  }

  #endRun(): void {
    if (this.#run !== undefined) this.#head(FORM.steps, this.#run.processor).varint(this.#run.steps);
    this.#run = undefined;
  }

  #write(event: MachineEvent, fields: EncodedFields): void {
    if (event.type === 'processor/intrinsicExecuted') this.#intrinsic(event as IntrinsicExecuted);
    else if (event.type === 'processor/registerSet') this.#register(event as RegisterSet);
    else if (event.type === 'memory/written') this.#memory(event as MemoryWritten);
    else this.#defined(event.type, fields);
  }

  #intrinsic({ processor, intrinsic, operands }: IntrinsicExecuted): void {
    this.#head(FORM.intrinsic, processor);
    this.#name(intrinsic).varint(operands.length);
    for (const operand of operands) writeInteger(this.#writer, operand);
  }

  #register({ processor, register, value }: RegisterSet): void {
    this.#head(FORM.register, processor);
    writeInteger(this.#name(register), value);
  }

  #memory({ address, bytes }: MemoryWritten): void {
    this.#head(FORM.memory, 0).varint(address).bytes(bytes);
  }

  #defined(type: string, fields: EncodedFields): void {
    this.#head(FORM.defined, 0);
    this.#name(type).varint(fields.length);
    for (const [field, value] of fields) this.#name(field).raw(value);
  }

  #head(form: number, processor: number): ByteWriter {
    return this.#writer.varint(form + processor * FORMS);
  }

  /** 0 and the name the first time, then its number. */
  #name(name: string): ByteWriter {
    const known = this.#names.get(name);
    if (known !== undefined) return this.#writer.varint(known);
    this.#names.set(name, this.#names.size + 1);
    return this.#writer.varint(0).text(name);
  }
}

type EncodedFields = readonly (readonly [field: string, value: Uint8Array])[];

function encodedFields({ type: _type, ...payload }: MachineEvent): EncodedFields {
  return Object.entries(payload).map(([field, value]) => [field, encodeCanonical(value)] as const);
}

/** Core keeps these two domains for itself: their events have forms of their own. */
function isCoreType(type: string): boolean {
  return type.startsWith('processor/') || type.startsWith('memory/');
}

/** A signed integer of any size: the number of its bytes and its sign, then the magnitude, little-endian. */
function writeInteger(writer: ByteWriter, value: bigint): void {
  const magnitude = value < 0n ? -value : value;
  const sign = Number(value < 0n);
  if (magnitude <= EXACT) {
    const small = Number(magnitude);
    const length = bytesOf(small);
    writer.varint(length * 2 + sign).littleEndian(small, length);
    return;
  }
  const digits = magnitude.toString(16);
  const bytes = hexToBytes(digits.length % 2 === 0 ? digits : `0${digits}`).reverse();
  writer.varint(bytes.length * 2 + sign).raw(bytes);
}

/** Bytes that a number needs; none for 0. */
function bytesOf(value: number): number {
  let bytes = 0;
  for (let rest = value; rest >= 1; rest /= 256) bytes++;
  return bytes;
}

function readInteger(reader: ByteReader): bigint {
  const { offset } = reader;
  const head = reader.varint();
  const length = Math.floor(head / 2);
  if (length > LONGEST_INTEGER) reader.refuse(`an integer of up to ${LONGEST_INTEGER} bytes`, length, offset);
  if (length === 0) return head === 0 ? 0n : reader.refuse('zero without a sign', head, offset);
  const bytes = reader.raw(length);
  if (bytes[length - 1] === 0) reader.refuse('an integer without leading zeros', 0, offset);
  const magnitude = BigInt(`0x${bytesToHex(bytes.slice().reverse())}`);
  return head % 2 === 1 ? -magnitude : magnitude;
}

/** How many positions the events of a payload span: its first number. */
export function positionsOfPayload(reader: ByteReader): number {
  const positions = reader.varint();
  if (positions === 0) reader.refuse('events', 'none');
  return positions;
}

/**
 * The events of a payload, one at a time.
 * @param position of the first one
 * @throws TraceFormatError for anything that EventBlock does not write
 */
export function* readEvents(payload: Uint8Array, base: number, position: number): IterableIterator<LogEntry> {
  const reader = new ByteReader(payload, base);
  const end = position + positionsOfPayload(reader);
  const events = reader.countOf(SHORTEST_EVENT);
  const names = new NameReader(reader);
  let at = position;
  for (let index = 0; index < events; index++) {
    const { offset } = reader;
    const event = Object.freeze(readEvent(reader, names));
    const next = at + positionsOf(event);
    if (next > end) reader.refuse(`events up to position ${end}`, `one up to ${next}`, offset);
    yield Object.freeze({ position: at, event });
    at = next;
  }
  if (at !== end) reader.refuse(`events up to position ${end}`, `only those up to ${at}`);
  reader.end();
}

class NameReader {
  readonly #reader: ByteReader;
  readonly #names: string[] = [];

  constructor(reader: ByteReader) {
    this.#reader = reader;
  }

  next(): string {
    const { offset } = this.#reader;
    const index = this.#reader.varint();
    if (index > 0)
      return this.#names[index - 1] ?? this.#reader.refuse(`a name up to number ${this.#names.length}`, index, offset);
    const name = this.#reader.text();
    this.#names.push(name);
    return name;
  }
}

function readEvent(reader: ByteReader, names: NameReader): MachineEvent {
  const { offset } = reader;
  const head = reader.varint();
  const processor = Math.floor(head / FORMS);
  switch (head % FORMS) {
    case FORM.steps: {
      const steps = reader.varint();
      if (steps === 0) reader.refuse('steps', 'none', offset);
      return { type: 'processor/stepsRetired', processor, steps };
    }
    case FORM.intrinsic: {
      const intrinsic = names.next();
      const operands = Array.from({ length: reader.countOf(1) }, () => readInteger(reader));
      return { type: 'processor/intrinsicExecuted', processor, intrinsic, operands: Object.freeze(operands) };
    }
    case FORM.register:
      return { type: 'processor/registerSet', processor, register: names.next(), value: readInteger(reader) };
    case FORM.memory:
      return { type: 'memory/written', address: reader.varint(), bytes: reader.bytes() };
    case FORM.defined:
      return readDefined(reader, names);
    default:
      return reader.refuse('a form of event', head % FORMS, offset);
  }
}

function readDefined(reader: ByteReader, names: NameReader): MachineEvent {
  const { offset } = reader;
  const type = names.next();
  if (!isEventType(type)) reader.refuse('the type of an event, domain/pastTense', type, offset);
  const count = reader.countOf(SHORTEST_EVENT);
  const fields: [string, unknown][] = [];
  for (let index = 0; index < count; index++) {
    const field = names.next();
    if (field === 'type' || fields.some(([name]) => name === field)) reader.refuse('each field once', field);
    fields.push([field, readCanonical(reader)]);
  }
  return { ...Object.fromEntries(fields), type };
}

function isEventType(text: string): text is `${string}/${string}` {
  return /^[^/]+\/[^/]+$/.test(text) && !isCoreType(text);
}
