// Which chunks a file has, and up to where it can be believed. Two ways: from the indexes, backwards from the end mark, which
// reads next to nothing of a long trace; or by going from chunk to chunk, which also works where a recording broke off.
import { RetrovisorError, TraceFormatError } from '../error.js';
import { ByteReader } from './byte-reader.js';
import {
  type ChunkPlace,
  checkChunk,
  endOfChunk,
  FRAME_HEAD_BYTES,
  type Frame,
  payloadOffset,
  readFrame,
  readPayload,
} from './chunk.js';
import { decodeIndex, placesOf } from './chunk-index.js';
import { positionsOfPayload } from './event-codec.js';
import { OFFSET_BYTES, PREFIX_BYTES } from './format.js';
import type { TraceSource } from './source.js';

/** Where a file stops being a trace. */
export interface TraceDamage {
  /** Offset of the chunk that cannot be read; the file's size if nothing but the end is missing. */
  readonly offset: number;
  /** As in TraceFormatError. */
  readonly code: string;
  /** One sentence. */
  readonly reason: string;
  /** The position up to which everything is there and fits. */
  readonly readableUpTo: number;
}

/** The chunks of a file. */
export interface Directory {
  /** In the order of the file, without indexes and end mark. */
  readonly places: readonly ChunkPlace[];
  /** Position after the last event that can be read. */
  readonly length: number;
  readonly damage: TraceDamage | undefined;
}

const END_BYTES = FRAME_HEAD_BYTES + OFFSET_BYTES;
/** The longest varint: what has to be read of a payload to know its positions. */
const COUNT_BYTES = 8;

/** The directory by the indexes; undefined if the end mark or an index does not fit, so that only a scan can tell why. */
export function directoryFromIndex(source: TraceSource, header: ChunkPlace, seed: Uint8Array): Directory | undefined {
  try {
    return followIndexes(source, header, seed);
  } catch (thrown) {
    if (thrown instanceof TraceFormatError) return undefined;
    throw thrown;
  }
}

function followIndexes(source: TraceSource, header: ChunkPlace, seed: Uint8Array): Directory | undefined {
  const end = readFrame(source, Math.max(PREFIX_BYTES, source.size - END_BYTES));
  if (end.kind !== 'end' || endOfChunk(end) !== source.size) return undefined;
  const mark = readPayload(source, end, seed);
  const stretches: (readonly ChunkPlace[])[] = [];
  let offset = new ByteReader(mark).littleEndian(OFFSET_BYTES);
  let limit = end.offset;
  while (offset !== 0) {
    const index = readFrame(source, offset);
    if (index.kind !== 'index' || endOfChunk(index) > limit) return undefined;
    const content = decodeIndex(readPayload(source, index, seed), index);
    const from = content.previous === 0 ? PREFIX_BYTES : endOfChunk(readFrame(source, content.previous));
    stretches.push(placesOf(content, from, index, (why) => mismatch(offset, why)));
    limit = index.offset;
    offset = content.previous;
  }
  const places = stretches.toReversed().flat();
  return isOrdered(places, header, end) ? { places, length: end.position, damage: undefined } : undefined;
}

function mismatch(offset: number, why: string): TraceFormatError {
  return new TraceFormatError('TRACE_INDEX', { offset }, why);
}

function isOrdered(places: readonly ChunkPlace[], header: ChunkPlace, end: ChunkPlace): boolean {
  const [first, ...others] = places;
  if (first?.kind !== 'header' || first.length !== header.length) return false;
  const isContent = others.every(({ kind }) => kind === 'digest' || kind === 'events' || kind === 'keyframe');
  return isContent && [...places, end].every(({ position }, index, all) => position >= (all[index - 1]?.position ?? 0));
}

/**
 * The directory by going from chunk to chunk; stops at the first thing that does not fit.
 * @param checksums compare every checksum, which reads the whole file
 */
export function directoryByScan(
  source: TraceSource,
  header: ChunkPlace,
  seed: Uint8Array,
  checksums: boolean,
): Directory {
  const places: ChunkPlace[] = [header];
  let offset = endOfChunk(header);
  let reached = 0;
  try {
    for (let ended = false; !ended; ) {
      if (offset === source.size) throw noEnd(offset);
      const frame = readFrame(source, offset);
      if (checksums) checkChunk(source, frame, seed);
      const next = positionAfter(source, frame, reached);
      ended = frame.kind === 'end';
      if (ended && !checksums) readPayload(source, frame, seed);
      if (!ended && frame.kind !== 'index') places.push(placeOf(frame));
      reached = next;
      offset = endOfChunk(frame);
    }
    if (offset < source.size) throw afterEnd(offset, source.size);
    return { places, length: reached, damage: undefined };
  } catch (thrown) {
    if (!(thrown instanceof RetrovisorError)) throw thrown;
    return { places, length: reached, damage: damageOf(thrown, offset, reached) };
  }
}

function placeOf({ kind, position, offset, length }: Frame): ChunkPlace {
  return { kind, position, offset, length };
}

/** Chunks follow each other in positions too: a repeated or missing one is found here. */
function positionAfter(source: TraceSource, frame: Frame, reached: number): number {
  const { kind, position, offset, length } = frame;
  if (kind === 'header')
    throw new TraceFormatError(
      'TRACE_CHUNK_ORDER',
      { offset, found: kind },
      `at offset ${offset} stands a second header`,
    );
  if (position !== reached) {
    const details = { offset, kind, found: position, expected: reached };
    throw new TraceFormatError(
      'TRACE_CHUNK_ORDER',
      details,
      `the ${kind} chunk at offset ${offset} belongs to position ${position}, but the events before it lead to ${reached}`,
    );
  }
  if (kind !== 'events') return reached;
  const start = payloadOffset(frame);
  const reader = new ByteReader(source.read(start, Math.min(COUNT_BYTES, length)), start);
  const after = reached + positionsOfPayload(reader);
  return Number.isSafeInteger(after) ? after : reader.refuse('positions up to 2^53 - 1', after, start);
}

function noEnd(offset: number): TraceFormatError {
  return new TraceFormatError(
    'TRACE_NO_END',
    { offset },
    `the trace stops at offset ${offset} without an end mark: its recording was not finished, or it was cut`,
  );
}

function afterEnd(offset: number, size: number): TraceFormatError {
  return new TraceFormatError(
    'TRACE_AFTER_END',
    { offset, found: size - offset },
    `${size - offset} bytes follow the end of the trace at offset ${offset}`,
  );
}

function damageOf({ code, message }: RetrovisorError, offset: number, readableUpTo: number): TraceDamage {
  return Object.freeze({ offset, code, reason: message, readableUpTo });
}
