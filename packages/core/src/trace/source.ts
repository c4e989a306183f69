// Where the bytes of a trace come from: memory, or anything that can be read at any place. Files are in ../node/.
import { TraceFormatError } from '../error.js';
import { plainBytes } from './byte-reader.js';

/** Bytes that can be read at any place. */
export interface TraceSource {
  /** Bytes in all. */
  readonly size: number;
  /** Exactly `length` bytes at an offset; asked only for what lies inside `size`. They are not changed afterwards. */
  read(offset: number, length: number): Uint8Array;
  /** Lets go of what is behind it. */
  close?(): void;
}

/** Bytes in memory as a source. They must not be changed while the trace is read. */
export function bytesSource(given: Uint8Array): TraceSource {
  const bytes = plainBytes(given);
  return {
    size: bytes.length,
    read: (offset, length) => bytes.subarray(offset, offset + length),
  };
}

/** A source that keeps its promises: whoever hands back too little is named, not believed. */
export function checkedSource(source: TraceSource): TraceSource {
  const { size } = source;
  return {
    size,
    read(offset, length) {
      const bytes = source.read(offset, length);
      if (bytes.length === length) return plainBytes(bytes);
      throw new TraceFormatError(
        'TRACE_CUT',
        { offset, found: bytes.length, expected: length },
        `${length} bytes at offset ${offset} were there when the trace was opened; now there are ${bytes.length}`,
      );
    },
    close: () => source.close?.(),
  };
}
