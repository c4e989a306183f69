// The trace file as a table: what stands in it, in which order, and since which version. trace/chunk.ts frames the chunks,
// and the payload of each kind has the file that is named here.
//
//   prefix      magic (8 bytes), format version (4 bytes, little-endian)
//   chunk ...   kind (1), first position (7), payload length (4), checksum (8), payload
//
// Chunks are only ever appended, so that a crash loses at most the one that was being written.

/** The first bytes of a trace. Like PNG's: a byte that is no ASCII, and line ends that a transfer as text would change. */
export const MAGIC = Uint8Array.of(0x89, 0x52, 0x56, 0x54, 0x0d, 0x0a, 0x1a, 0x0a);
/** Whether bytes begin as a trace does. */
export function isTrace(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, index) => byte === bytes[index]);
}

/** The version that is written. */
export const FORMAT_VERSION = 1;
/** The versions that are read. */
export const ACCEPTED_VERSIONS: readonly number[] = [1];
export const PREFIX_BYTES = MAGIC.length + 4;

/** A kind of chunk. */
export interface ChunkKind {
  /** The first byte of the chunk, an ASCII letter. */
  readonly letter: string;
  readonly since: number;
  /** What its position says. */
  readonly position: string;
  readonly payload: string;
}

/** Every kind, in the order in which they first occur. */
export const CHUNKS = {
  header: { letter: 'H', since: 1, position: '0', payload: 'the machine and its initial state (trace/header.ts)' },
  digest: { letter: 'D', since: 1, position: 'of the state', payload: 'its digest, 32 bytes (trace/digest.ts)' },
  events: {
    letter: 'E',
    since: 1,
    position: 'before the first event',
    payload: 'events in order (trace/event-codec.ts)',
  },
  keyframe: {
    letter: 'K',
    since: 1,
    position: 'of the state',
    payload: 'what changed since the keyframe before (trace/keyframe.ts)',
  },
  index: {
    letter: 'I',
    since: 1,
    position: 'reached so far',
    payload: 'the chunks since the index before (trace/chunk-index.ts)',
  },
  end: { letter: 'Z', since: 1, position: 'after the last event', payload: 'the offset of the last index, 7 bytes' },
} as const satisfies Readonly<Record<string, ChunkKind>>;

/** The name of a kind of chunk. */
export type ChunkName = keyof typeof CHUNKS;

/** Bytes of a place in the file, or of a position: 2^53 - 1 is the most that either can be. */
export const OFFSET_BYTES = 7;
