// Writing a trace as it happens: events are collected and leave as whole chunks, so that a crash loses at most the chunk
// that was being collected. Positions with a digest end a chunk, so that even a run that is one single entry gets out.
import { UsageError } from '../error.js';
import { type MachineEvent, positionsOf } from '../event/event.js';
import type { MachineDefinition } from '../plugin/host.js';
import { initialState } from '../state/initial-state.js';
import type { MachineState } from '../state/machine.js';
import { ByteWriter } from './byte-writer.js';
import { type ChunkPlace, encodeChunk, LONGEST_PAYLOAD } from './chunk.js';
import { encodeIndex } from './chunk-index.js';
import { stateDigest } from './digest.js';
import { faultOfEvent } from './event-check.js';
import { EventBlock } from './event-codec.js';
import { type ChunkName, FORMAT_VERSION, MAGIC, OFFSET_BYTES, PREFIX_BYTES } from './format.js';
import { encodeHeader, headerOf } from './header.js';
import { encodeKeyframe } from './keyframe.js';
import { headerSeed, traceSeed } from './seed.js';

/** Where the bytes of a trace go, in order. */
export interface TraceSink {
  write(bytes: Uint8Array): void;
  /** Nothing more follows. */
  end(): void;
}

/** How a trace is written. */
export interface TraceWriterOptions {
  /** The state after the last appended event; asked for at digests and keyframes only. */
  readonly state: () => MachineState;
  /** Positions from one digest to the next, at the most; the first ones are closer together. Default 50,000,000. */
  readonly digestEvery?: number;
  /** Positions from one keyframe to the next. Default 50,000,000; Infinity for none. */
  readonly keyframeEvery?: number;
  /** Bytes of events that make a chunk. Default 65,536. */
  readonly chunkBytes?: number;
  /** Events that make a chunk. Default 4096. */
  readonly chunkEvents?: number;
}

/** The first digest: short traces have some too. The distance doubles until it is `digestEvery`. */
const FIRST_DIGEST = 1000;
/** Chunks from one index to the next: what has to be scanned if the last index is lost. */
const CHUNKS_PER_INDEX = 1000;

/** Writes one trace, from position 0 on. */
export class TraceWriter {
  readonly #definition: MachineDefinition;
  readonly #sink: TraceSink;
  readonly #options: Required<TraceWriterOptions>;
  #seed: Uint8Array;
  readonly #block = new EventBlock();
  #blockStart = 0;
  #position = 0;
  #offset = 0;
  /** Chunks since the last index, and where that is. */
  #places: ChunkPlace[] = [];
  #lastIndex = 0;
  #keyframe: MachineState;
  #digestAt = -1;
  #nextDigest = FIRST_DIGEST;
  #nextKeyframe: number;
  #closed = false;

  /** Writes the header and the digest of the initial state. */
  constructor(definition: MachineDefinition, sink: TraceSink, options: TraceWriterOptions) {
    this.#definition = definition;
    this.#sink = sink;
    this.#options = {
      digestEvery: 50_000_000,
      keyframeEvery: 50_000_000,
      chunkBytes: 65_536,
      chunkEvents: 4096,
      ...options,
    };
    this.#nextKeyframe = this.#options.keyframeEvery;
    this.#keyframe = initialState(definition);
    const prefix = new ByteWriter()
      .raw(MAGIC)
      .littleEndian(FORMAT_VERSION, PREFIX_BYTES - MAGIC.length)
      .take();
    const header = encodeHeader(headerOf(definition));
    this.#write(prefix);
    this.#seed = headerSeed(prefix);
    this.#chunk('header', header);
    this.#seed = traceSeed(this.#seed, header);
    this.#digest(this.#keyframe);
  }

  /** Positions written so far. */
  get position(): number {
    return this.#position;
  }

  /** Bytes that have left for the sink. */
  get bytesWritten(): number {
    return this.#offset;
  }

  /**
   * Appends an event.
   * @param position before the event: must be where the trace ends
   * @throws UsageError for an event that leaves a gap or that the machine does not know
   */
  append(event: MachineEvent, position: number = this.#position): void {
    this.#checkOpen();
    if (position !== this.#position) throw positionError(position, this.#position);
    const fault = faultOfEvent(this.#definition, event);
    if (fault !== undefined) throw new UsageError(fault.code, fault.details, fault.message);
    this.#block.append(event);
    this.#position += positionsOf(event);
    const { keyframeEvery, chunkBytes, chunkEvents } = this.#options;
    if (this.#position >= this.#nextDigest) this.#digest(this.#options.state());
    if (this.#position >= this.#nextKeyframe) {
      this.#writeKeyframe(this.#options.state());
      this.#nextKeyframe = (Math.floor(this.#position / keyframeEvery) + 1) * keyframeEvery;
    }
    if (this.#block.bytes >= chunkBytes || this.#block.events >= chunkEvents) this.flush();
  }

  /** Sends the events that were collected as a chunk. */
  flush(): void {
    if (this.#blockStart === this.#position) return;
    const start = this.#blockStart;
    this.#blockStart = this.#position;
    this.#chunk('events', this.#block.take(), start);
  }

  /** Ends the trace: the digest of the last state, an index, the end mark. */
  close(state: MachineState = this.#options.state()): void {
    this.#checkOpen();
    this.#digest(state);
    this.#index();
    this.#chunk('end', new ByteWriter().littleEndian(this.#lastIndex, OFFSET_BYTES).take());
    this.#closed = true;
    this.#sink.end();
  }

  #checkOpen(): void {
    if (this.#closed)
      throw new UsageError(
        'TRACE_CLOSED',
        { position: this.#position },
        'the trace was closed: nothing can be appended',
      );
  }

  #digest(state: MachineState): void {
    if (state.position !== this.#position) throw positionError(state.position, this.#position);
    this.flush();
    if (this.#digestAt !== this.#position) this.#chunk('digest', stateDigest(state));
    this.#digestAt = this.#position;
    const distance = Math.min(Math.max(this.#position, FIRST_DIGEST), this.#options.digestEvery);
    this.#nextDigest = this.#position + distance;
  }

  /** A digest goes before it, so that a verification that stops here has both sides of it. */
  #writeKeyframe(state: MachineState): void {
    this.#digest(state);
    this.#chunk('keyframe', encodeKeyframe(this.#keyframe, state));
    this.#keyframe = state;
  }

  #index(): void {
    const index = encodeIndex(this.#lastIndex, this.#places);
    this.#lastIndex = this.#offset;
    this.#chunk('index', index);
    this.#places = [];
  }

  #chunk(kind: ChunkName, payload: Uint8Array, position = this.#position): void {
    if (payload.length > LONGEST_PAYLOAD) {
      throw new UsageError(
        'TRACE_CHUNK_TOO_LONG',
        { kind, bytes: payload.length },
        `a ${kind} chunk of ${payload.length} bytes is too long: up to ${LONGEST_PAYLOAD} are accepted`,
      );
    }
    this.#places.push({ kind, position, offset: this.#offset, length: payload.length });
    this.#write(encodeChunk(kind, position, payload, this.#offset, this.#seed));
    if (kind !== 'index' && kind !== 'end' && this.#places.length >= CHUNKS_PER_INDEX) this.#index();
  }

  #write(bytes: Uint8Array): void {
    this.#offset += bytes.length;
    try {
      this.#sink.write(bytes);
    } catch (thrown) {
      // What came out is a whole trace up to some chunk; anything after the gap would only look damaged.
      this.#closed = true;
      throw thrown;
    }
  }
}

function positionError(found: number, expected: number): UsageError {
  return new UsageError(
    'TRACE_POSITION',
    { found, expected },
    `the trace ends at position ${expected}: what begins at ${found} does not follow it`,
  );
}
