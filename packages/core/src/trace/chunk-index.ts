// The index: which chunks lie between the index before and this one. Chunks follow each other without gaps, so that kind,
// position and length say where each one is. Followed backwards from the end mark, indexes find every chunk.
import type { TraceFormatError } from '../error.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { type ChunkPlace, endOfChunk, payloadOffset } from './chunk.js';
import { CHUNKS, type ChunkName, OFFSET_BYTES } from './format.js';

const KINDS = new Map(Object.entries(CHUNKS).map(([name, { letter }]) => [letter.charCodeAt(0), name as ChunkName]));
/** Kind, position and length of a chunk, a byte each. */
const SHORTEST_ENTRY = 3;

/** What an index says. */
export interface ChunkIndex {
  /** Offset of the index before; 0 for the first one. */
  readonly previous: number;
  readonly kinds: readonly { readonly kind: ChunkName; readonly position: number; readonly length: number }[];
}

/** The payload of an index. */
export function encodeIndex(previous: number, places: readonly ChunkPlace[]): Uint8Array {
  const writer = new ByteWriter().littleEndian(previous, OFFSET_BYTES).varint(places.length);
  let reached = 0;
  for (const { kind, position, length } of places) {
    writer
      .u8(CHUNKS[kind].letter.charCodeAt(0))
      .varint(position - reached)
      .varint(length);
    reached = position;
  }
  return writer.take();
}

/** What the payload of an index says; nothing of it is checked against the file yet. */
export function decodeIndex(payload: Uint8Array, place: ChunkPlace): ChunkIndex {
  const reader = new ByteReader(payload, payloadOffset(place));
  const previous = reader.littleEndian(OFFSET_BYTES);
  if (previous >= place.offset) reader.refuse('an offset before the index itself', previous);
  const count = reader.countOf(SHORTEST_ENTRY);
  let position = 0;
  const kinds = Array.from({ length: count }, () => {
    const letter = reader.u8();
    const kind = KINDS.get(letter) ?? reader.refuse('a kind of chunk', letter);
    position += reader.varint();
    return { kind, position, length: reader.varint() };
  });
  reader.end();
  return { previous, kinds };
}

/** The places of an index's chunks, the first of which begins at `from`; they must end where the index begins. */
export function placesOf(
  { kinds }: ChunkIndex,
  from: number,
  index: ChunkPlace,
  refuse: (why: string) => TraceFormatError,
): readonly ChunkPlace[] {
  let offset = from;
  const places = kinds.map((chunk) => {
    const place = { ...chunk, offset };
    offset = endOfChunk(place);
    return place;
  });
  if (offset !== index.offset) throw refuse(`the chunks of the index at offset ${index.offset} end at ${offset}`);
  return places;
}
