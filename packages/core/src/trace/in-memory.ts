// A trace in memory, for browsers, tests and small recordings.
import { ByteWriter } from './byte-writer.js';
import type { TraceSink } from './writer.js';

/** A sink that keeps the bytes. */
export interface MemorySink extends TraceSink {
  /** What was written so far, as a copy. */
  bytes(): Uint8Array;
}

/** Makes a sink that keeps the bytes. */
export function memorySink(): MemorySink {
  const written = new ByteWriter();
  return {
    write: (bytes) => void written.raw(bytes),
    end: () => {},
    bytes: () => written.take(),
  };
}
