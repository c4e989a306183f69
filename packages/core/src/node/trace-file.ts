// Traces in files. Everything is synchronous: a machine runs synchronously too, and a chunk is in the hands of the operating
// system before the next event happens.
import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { TraceFormatError, UsageError } from '../error.js';
import type { Machine } from '../machine/machine.js';
import { type OpenTraceOptions, openTrace, type Trace } from '../trace/reader.js';
import { type Recording, type RecordOptions, recordMachine } from '../trace/record.js';
import type { TraceSource } from '../trace/source.js';
import type { TraceSink } from '../trace/writer.js';

/**
 * A new file as a sink; an existing one is replaced.
 * @throws UsageError TRACE_FILE_UNWRITABLE when the file cannot be made or the disk is full
 */
export function fileSink(path: string): TraceSink {
  const file = writing(path, () => openSync(path, 'w'));
  return {
    write(bytes) {
      for (let done = 0; done < bytes.length; ) done += writing(path, () => writeSync(file, bytes, done));
    },
    end() {
      writing(path, () => fsync(file));
      closeSync(file);
    },
  };
}

/** Pipes and some file systems cannot be synchronised; what was written is there nevertheless. */
function fsync(file: number): void {
  try {
    fsyncSync(file);
  } catch (thrown) {
    if (!['EINVAL', 'ENOTSUP', 'EROFS'].includes(systemCode(thrown))) throw thrown;
  }
}

/**
 * A file as a source. It stays open until it is closed.
 * @throws TraceFormatError TRACE_FILE_UNREADABLE when the file cannot be opened or read
 */
export function fileSource(path: string): TraceSource {
  const file = reading(path, () => openSync(path, 'r'));
  const status = reading(path, () => fstatSync(file));
  if (!status.isFile()) {
    closeSync(file);
    throw unreadable(path, 'it is no regular file', 'ENOTFILE');
  }
  return {
    size: status.size,
    read: (offset, length) => reading(path, () => readExactly(file, offset, length)),
    close: () => closeSync(file),
  };
}

/** What is there of the bytes asked for: less if the file became shorter. */
function readExactly(file: number, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const read = readSync(file, bytes, done, length - done, offset + done);
    if (read === 0) return bytes.subarray(0, done);
    done += read;
  }
  return bytes;
}

/**
 * Records everything that a machine did and will do into a new file.
 * @throws UsageError TRACE_FILE_UNWRITABLE
 * @example const recording = recordToFile(machine, 'walk.trace');
 */
export function recordToFile(machine: Machine, path: string, options: RecordOptions = {}): Recording {
  return recordMachine(machine, fileSink(path), options);
}

/**
 * Opens the trace in a file. `trace.close()` lets go of the file.
 * @throws TraceFormatError if the file cannot be read or is no trace; damage behind its header is told in `trace.damage`
 * @example const trace = openTraceFile('walk.trace');
 */
export function openTraceFile(path: string, options: OpenTraceOptions = {}): Trace {
  const source = fileSource(path);
  try {
    return openTrace(source, options);
  } catch (thrown) {
    source.close?.();
    throw thrown instanceof TraceFormatError ? withPath(thrown, path) : thrown;
  }
}

function withPath({ code, details, message }: TraceFormatError, path: string): TraceFormatError {
  return 'path' in details
    ? new TraceFormatError(code, details, message)
    : new TraceFormatError(code, { path, ...details }, `${path}: ${message}`);
}

function reading<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (thrown) {
    throw unreadable(path, systemReason(thrown), systemCode(thrown));
  }
}

function unreadable(path: string, why: string, reason: string): TraceFormatError {
  return new TraceFormatError('TRACE_FILE_UNREADABLE', { path, reason }, `${path} cannot be read: ${why}`);
}

function writing<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (thrown) {
    const reason = systemCode(thrown);
    throw new UsageError(
      'TRACE_FILE_UNWRITABLE',
      { path, reason },
      `${path} cannot be written: ${systemReason(thrown)}`,
    );
  }
}

function systemCode(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'UNKNOWN';
}

/** The operating system's words: `ENOENT: no such file or directory, open 'x'` without code, call and path. */
function systemReason(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.message.replace(/^[A-Z0-9_]+: /, '').replace(/, \w+(?: '.*')?$/, '');
}
