// Opening a trace. What is hostile, cut or flipped ends in a shorter trace that says so, or in a TraceFormatError; events
// and keyframes are read when they are asked for, a chunk at a time.
import { TraceFormatError, UsageError } from '../error.js';
import { isStepsRetired, positionsOf } from '../event/event.js';
import type { LogEntry } from '../machine/log.js';
import type { MachineDefinition } from '../plugin/host.js';
import { initialState } from '../state/initial-state.js';
import type { MachineState } from '../state/machine.js';
import { ByteReader } from './byte-reader.js';
import { type ChunkPlace, payloadOffset, readFrame, readPayload } from './chunk.js';
import { DIGEST_BYTES } from './digest.js';
import { type Directory, directoryByScan, directoryFromIndex, type TraceDamage } from './directory.js';
import { faultOfEvent } from './event-check.js';
import { positionsOfPayload, readEvents } from './event-codec.js';
import { ACCEPTED_VERSIONS, MAGIC, PREFIX_BYTES } from './format.js';
import { decodeHeader, type TraceHeader } from './header.js';
import { decodeKeyframe } from './keyframe.js';
import { headerSeed, traceSeed } from './seed.js';
import { bytesSource, checkedSource, type TraceSource } from './source.js';

/** How a trace is opened. */
export interface OpenTraceOptions {
  /**
   * When checksums are compared: all when the trace is opened, or each when its chunk is read, so that opening a long trace
   * reads only its indexes. Default: `open` up to 16 MiB, `access` above.
   */
  readonly check?: 'open' | 'access';
  /** Bytes of frames that one keyframe may make: zeros take little room in a file. Default 1 GiB. */
  readonly mostKeyframeBytes?: number;
}

/** A recorded digest. */
export interface RecordedDigest {
  readonly position: number;
  /** 32 bytes. */
  readonly digest: Uint8Array;
}

const CHECKED_WHEN_OPENED = 16 * 2 ** 20;
const MOST_KEYFRAME_BYTES = 2 ** 30;

/**
 * Opens a trace. Damage behind the header is no error: the trace ends before it and tells so (`trace.damage`).
 * @throws TraceFormatError if it is no trace, of another version, or its header cannot be read
 */
export function openTrace(bytes: Uint8Array | TraceSource, options: OpenTraceOptions = {}): Trace {
  const source = checkedSource(bytes instanceof Uint8Array ? bytesSource(bytes) : bytes);
  const prefix = readPrefix(source);
  const seed = headerSeed(prefix);
  const frame = readFrame(source, PREFIX_BYTES);
  if (frame.kind !== 'header') {
    throw new TraceFormatError(
      'TRACE_CHUNK_ORDER',
      { offset: PREFIX_BYTES, found: frame.kind, expected: 'header' },
      `the first chunk of a trace is its header, not ${frame.kind}`,
    );
  }
  const payload = readPayload(source, frame, seed);
  const header = decodeHeader(payload, payloadOffset(frame));
  const chunkSeed = traceSeed(seed, payload);
  const checksums = (options.check ?? (source.size <= CHECKED_WHEN_OPENED ? 'open' : 'access')) === 'open';
  const indexed = checksums ? undefined : directoryFromIndex(source, frame, chunkSeed);
  const directory = indexed ?? directoryByScan(source, frame, chunkSeed, checksums);
  return new Trace(source, chunkSeed, header, directory, options.mostKeyframeBytes ?? MOST_KEYFRAME_BYTES);
}

function readPrefix(source: TraceSource): Uint8Array {
  const prefix = source.read(0, Math.min(PREFIX_BYTES, source.size));
  const magic = prefix.subarray(0, MAGIC.length);
  const isMagic = magic.length > 0 && magic.every((byte, index) => byte === MAGIC[index]);
  if (!isMagic) {
    const [found, expected] = [magic, MAGIC].map((bytes) =>
      Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' '),
    );
    throw new TraceFormatError(
      'TRACE_MAGIC',
      { offset: 0, found, expected },
      `this is no trace: it begins with ${found || 'nothing'}, a trace with ${expected}`,
    );
  }
  if (prefix.length < PREFIX_BYTES) {
    throw new TraceFormatError(
      'TRACE_CUT',
      { offset: 0, found: source.size, expected: PREFIX_BYTES },
      `the trace was cut after ${source.size} bytes: there is nothing to read`,
    );
  }
  const version = new ByteReader(prefix.subarray(MAGIC.length)).littleEndian(PREFIX_BYTES - MAGIC.length);
  if (!ACCEPTED_VERSIONS.includes(version)) {
    throw new TraceFormatError(
      'TRACE_VERSION',
      { offset: MAGIC.length, found: version, accepted: ACCEPTED_VERSIONS },
      `the trace has format version ${version}; this retrovisor reads ${ACCEPTED_VERSIONS.join(', ')}`,
    );
  }
  return prefix;
}

/** An opened trace. Make one with openTrace. */
export class Trace {
  readonly header: TraceHeader;
  /** Position after the last event that can be read. */
  readonly length: number;
  /** What is wrong with the file, if it could not be read to its end. */
  readonly damage: TraceDamage | undefined;
  /** Bytes of the file. */
  readonly size: number;
  readonly #source: TraceSource;
  readonly #seed: Uint8Array;
  readonly #places: Readonly<Record<'events' | 'digest' | 'keyframe', readonly ChunkPlace[]>>;
  readonly #mostKeyframeBytes: number;
  /** The keyframe that was read last: the next one is told as a difference to it. */
  #lastKeyframe:
    | { readonly index: number; readonly state: MachineState; readonly definition: MachineDefinition }
    | undefined;

  /** Use openTrace. */
  constructor(
    source: TraceSource,
    seed: Uint8Array,
    header: TraceHeader,
    { places, length, damage }: Directory,
    mostKeyframeBytes: number,
  ) {
    this.header = header;
    this.length = length;
    this.damage = damage;
    this.size = source.size;
    this.#source = source;
    this.#seed = seed;
    this.#mostKeyframeBytes = mostKeyframeBytes;
    const of = (wanted: ChunkPlace['kind']) => places.filter(({ kind }) => kind === wanted);
    this.#places = { events: of('events'), digest: of('digest'), keyframe: of('keyframe') };
  }

  /**
   * The recorded events of a range of positions, read as they are asked for; runs of steps are cut to fit.
   * @param definition if given, events that its plugins do not know are refused by name
   * @throws TraceFormatError for a chunk that is damaged, with the position up to which the trace can be read
   */
  *events({
    from = 0,
    to = this.length,
    definition,
  }: {
    readonly from?: number;
    readonly to?: number;
    readonly definition?: MachineDefinition;
  } = {}): IterableIterator<LogEntry> {
    this.#checkRange(from, to);
    for (let index = this.#indexBefore('events', from); index < this.#places.events.length; index++) {
      const place = this.#places.events[index] as ChunkPlace;
      if (place.position >= to) return;
      for (const entry of this.#eventsOf(place, this.#places.events[index + 1]?.position ?? this.length)) {
        if (definition !== undefined) refuseUnknown(definition, entry, payloadOffset(place));
        const cut = cutToRange(entry, from, to);
        if (cut !== undefined) yield cut;
      }
    }
  }

  *#eventsOf(place: ChunkPlace, end: number): IterableIterator<LogEntry> {
    const payload = this.#payload(place);
    const base = payloadOffset(place);
    const reader = new ByteReader(payload, base);
    const found = place.position + positionsOfPayload(reader);
    if (found !== end) reader.refuse(`events up to position ${end}`, `events up to ${found}`, base);
    yield* readEvents(payload, base, place.position);
  }

  /** The recorded digests of a range of positions, both ends included. */
  *digests({
    from = 0,
    to = this.length,
  }: {
    readonly from?: number;
    readonly to?: number;
  } = {}): IterableIterator<RecordedDigest> {
    this.#checkRange(from, to);
    for (const place of this.#places.digest) {
      if (place.position < from || place.position > to) continue;
      const digest = this.#payload(place);
      if (digest.length !== DIGEST_BYTES)
        new ByteReader(digest, payloadOffset(place)).refuse(`a digest of ${DIGEST_BYTES} bytes`, digest.length);
      yield Object.freeze({ position: place.position, digest: digest.slice() });
    }
  }

  /** The positions of the keyframes, ascending. The initial state is none of them. */
  get keyframes(): readonly number[] {
    return this.#places.keyframe.map(({ position }) => position);
  }

  /**
   * The state of the last keyframe at or before a position; the initial state if there is none.
   * @throws TraceFormatError for a keyframe that is damaged or not of this machine
   */
  stateBefore(position: number, definition: MachineDefinition): MachineState {
    this.#checkRange(0, position);
    const wanted = this.#places.keyframe.findLastIndex((place) => place.position <= position);
    const last = this.#lastKeyframe;
    const known = last !== undefined && last.definition === definition && last.index <= wanted ? last : undefined;
    let state = known?.state ?? initialState(definition);
    for (let index = (known?.index ?? -1) + 1; index <= wanted; index++)
      state = this.#readKeyframe(index, state, definition);
    return state;
  }

  #readKeyframe(index: number, before: MachineState, definition: MachineDefinition): MachineState {
    const place = this.#places.keyframe[index] as ChunkPlace;
    const context = {
      definition,
      before,
      base: payloadOffset(place),
      position: place.position,
      mostBytes: this.#mostKeyframeBytes,
    };
    const state = decodeKeyframe(this.#payload(place), context);
    this.#lastKeyframe = { index, state, definition };
    return state;
  }

  /** Lets go of the file. */
  close(): void {
    this.#source.close?.();
  }

  /** What a chunk holds; what is wrong with it is told with the position up to which everything before it reads. */
  #payload(place: ChunkPlace): Uint8Array {
    try {
      return readPayload(this.#source, place, this.#seed);
    } catch (thrown) {
      if (!(thrown instanceof TraceFormatError)) throw thrown;
      const readableUpTo = place.position;
      throw new TraceFormatError(
        thrown.code,
        { ...thrown.details, readableUpTo },
        `${thrown.message}; the trace can be read up to position ${readableUpTo}`,
      );
    }
  }

  #indexBefore(kind: 'events', position: number): number {
    return Math.max(
      0,
      this.#places[kind].findLastIndex((place) => place.position <= position),
    );
  }

  #checkRange(from: number, to: number): void {
    if (Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= this.length) return;
    throw new UsageError(
      'NO_SUCH_POSITION',
      { from, to, length: this.length },
      `the trace has no positions ${from} to ${to}: 0 to ${this.length} are accepted`,
    );
  }
}

function cutToRange(entry: LogEntry, from: number, to: number): LogEntry | undefined {
  const { position, event } = entry;
  const [start, end] = [Math.max(position, from), Math.min(position + positionsOf(event), to)];
  if (start >= end) return undefined;
  if (!isStepsRetired(event) || end - start === event.steps) return entry;
  return Object.freeze({ position: start, event: Object.freeze({ ...event, steps: end - start }) });
}

function refuseUnknown(definition: MachineDefinition, { position, event }: LogEntry, offset: number): void {
  const fault = faultOfEvent(definition, event);
  if (fault === undefined) return;
  const code = fault.code === 'UNKNOWN_EVENT' ? 'TRACE_UNKNOWN_EVENT' : 'TRACE_BAD_EVENT';
  throw new TraceFormatError(
    code,
    { ...fault.details, offset, position, readableUpTo: position },
    `position ${position}: ${fault.message}`,
  );
}
