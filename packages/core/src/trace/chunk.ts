// One chunk: its frame and its checksum. The checksum covers the frame, the payload, the header's digest and the place in
// the file, so that a chunk which was moved, repeated or taken from another recording does not fit either.
import { sha256 } from '@noble/hashes/sha2.js';
import { TraceFormatError } from '../error.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { CHUNKS, type ChunkName, OFFSET_BYTES } from './format.js';
import type { TraceSource } from './source.js';

const LENGTH_BYTES = 4;
/** What a checksum is of SHA-256: enough that no accident goes unnoticed. It is no protection against forgery. */
const CHECKSUM_BYTES = 8;
const SEALED_BYTES = 1 + OFFSET_BYTES + LENGTH_BYTES;
export const FRAME_HEAD_BYTES = SEALED_BYTES + CHECKSUM_BYTES;
/** Payloads are hashed in pieces: checking a large chunk needs no memory of its size. */
const PIECE_BYTES = 2 ** 18;

/** The longest payload that a frame can tell. */
export const LONGEST_PAYLOAD = 2 ** 32 - 1;

/** Where a chunk is and what it is. */
export interface ChunkPlace {
  readonly kind: ChunkName;
  readonly position: number;
  /** Of its first byte in the file. */
  readonly offset: number;
  /** Bytes of its payload. */
  readonly length: number;
}

export interface Frame extends ChunkPlace {
  readonly sealed: Uint8Array;
  readonly checksum: Uint8Array;
}

const KINDS = new Map(Object.entries(CHUNKS).map(([name, { letter }]) => [letter.charCodeAt(0), name as ChunkName]));

/** Where the payload of a chunk starts. */
export function payloadOffset({ offset }: ChunkPlace): number {
  return offset + FRAME_HEAD_BYTES;
}

/** Where the next chunk starts. */
export function endOfChunk(place: ChunkPlace): number {
  return payloadOffset(place) + place.length;
}

/** A chunk as bytes, for a place in a file. */
export function encodeChunk(
  kind: ChunkName,
  position: number,
  payload: Uint8Array,
  offset: number,
  seed: Uint8Array,
): Uint8Array {
  const writer = new ByteWriter();
  writer
    .u8(CHUNKS[kind].letter.charCodeAt(0))
    .littleEndian(position, OFFSET_BYTES)
    .littleEndian(payload.length, LENGTH_BYTES);
  const checksum = startChecksum(writer.take(), offset, seed).update(payload).digest();
  return writer.raw(checksum.subarray(0, CHECKSUM_BYTES)).raw(payload).take();
}

function startChecksum(sealed: Uint8Array, offset: number, seed: Uint8Array) {
  return sha256.create().update(seed).update(new ByteWriter().littleEndian(offset, OFFSET_BYTES).take()).update(sealed);
}

/** The frame at an offset, its checksum not compared yet. @throws TraceFormatError if there can be no whole chunk */
export function readFrame(source: TraceSource, offset: number): Frame {
  if (offset + FRAME_HEAD_BYTES > source.size) cut(offset, offset + FRAME_HEAD_BYTES, source.size);
  const head = source.read(offset, FRAME_HEAD_BYTES);
  const reader = new ByteReader(head, offset);
  const letter = reader.u8();
  const kind = KINDS.get(letter);
  if (kind === undefined) {
    const accepted = Object.values(CHUNKS).map((chunk) => chunk.letter);
    throw new TraceFormatError(
      'TRACE_CHUNK_KIND',
      { offset, found: letter, accepted },
      `at offset ${offset} no chunk begins: it would with ${accepted.join(', ')}`,
    );
  }
  const position = reader.littleEndian(OFFSET_BYTES);
  if (!Number.isSafeInteger(position)) reader.refuse('a position up to 2^53 - 1', position, offset + 1);
  const length = reader.littleEndian(LENGTH_BYTES);
  const end = offset + FRAME_HEAD_BYTES + length;
  if (end > source.size) cut(offset, end, source.size);
  return {
    kind,
    position,
    offset,
    length,
    sealed: head.subarray(0, SEALED_BYTES),
    checksum: reader.raw(CHECKSUM_BYTES),
  };
}

function cut(offset: number, expected: number, size: number): never {
  throw new TraceFormatError(
    'TRACE_CUT',
    { offset, expected, found: size },
    `the chunk at offset ${offset} would end at ${expected}, but the file ends at ${size}`,
  );
}

/** Compares the checksum. @throws TraceFormatError TRACE_CHUNK_CHECKSUM */
export function checkChunk(source: TraceSource, frame: Frame, seed: Uint8Array): void {
  const hash = startChecksum(frame.sealed, frame.offset, seed);
  for (let done = 0; done < frame.length; done += PIECE_BYTES) {
    hash.update(source.read(payloadOffset(frame) + done, Math.min(PIECE_BYTES, frame.length - done)));
  }
  compareChecksum(frame, hash.digest());
}

/** The payload of a chunk that was found before, read and compared again: a file may change under its reader. */
export function readPayload(source: TraceSource, place: ChunkPlace, seed: Uint8Array): Uint8Array {
  const { offset, kind, position } = place;
  const frame = readFrame(source, offset);
  if (frame.kind !== kind || frame.position !== position) {
    const [found, expected] = [`${frame.kind} ${frame.position}`, `${kind} ${position}`];
    throw new TraceFormatError(
      'TRACE_INDEX',
      { offset, found, expected },
      `at offset ${offset} stands ${found}, where the index promises ${expected}`,
    );
  }
  const payload = source.read(payloadOffset(frame), frame.length);
  compareChecksum(frame, startChecksum(frame.sealed, offset, seed).update(payload).digest());
  return payload;
}

function compareChecksum({ offset, kind, checksum }: Frame, digest: Uint8Array): void {
  if (checksum.every((byte, index) => byte === digest[index])) return;
  const [found, expected] = [checksum, digest.subarray(0, CHECKSUM_BYTES)].map(hex);
  throw new TraceFormatError(
    'TRACE_CHUNK_CHECKSUM',
    { offset, kind, found, expected },
    `the ${kind} chunk at offset ${offset} is damaged: its checksum is ${found}, its bytes make ${expected}`,
  );
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
