// A trace that was cut or changed opens up to its last good position, with a message that gives the offset, or is refused
// with a typed error. Never a hang, a crash, or an event that was not recorded.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TraceFormatError } from '../../src/error.js';
import { EventLog } from '../../src/machine/log.js';
import { endOfChunk, readFrame } from '../../src/trace/chunk.js';
import { PREFIX_BYTES } from '../../src/trace/format.js';
import { openTrace, type Trace } from '../../src/trace/reader.js';
import { bytesSource } from '../../src/trace/source.js';
import { sampleTrace } from './recordings.js';

const { file, machine } = sampleTrace();
/** No single opening may take longer: most take well under a millisecond. */
const LONGEST_IN_MS = 2000;

/** What can be read of a trace, and whether it is told that something is missing. */
function readAll(trace: Trace): { log: EventLog; damaged: boolean } {
  const log = new EventLog();
  let damaged = trace.damage !== undefined;
  try {
    for (const { event } of trace.events()) log.append(event);
    for (const _ of trace.digests());
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(TraceFormatError);
    expect((thrown as TraceFormatError).details).toHaveProperty('offset');
    damaged = true;
  }
  return { log, damaged };
}

/** The promise, for one changed file. Returns whether it is told that something is wrong. */
function expectPrefixOrRefusal(bytes: Uint8Array, check: 'open' | 'access'): boolean {
  const start = performance.now();
  let trace: Trace;
  try {
    trace = openTrace(bytes, { check });
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(TraceFormatError);
    expect((thrown as TraceFormatError).details).toHaveProperty('offset');
    return true;
  } finally {
    expect(performance.now() - start).toBeLessThan(LONGEST_IN_MS);
  }
  const { log, damaged } = readAll(trace);
  expect(log.entries()).toEqual([...machine.log.slice(0, log.length)]);
  // Checked when opened: all that is promised can be read. Otherwise what is missing is told when it is read.
  if (check === 'open') expect(log.length).toBe(trace.length);
  if (log.length < machine.log.length) expect(damaged).toBe(true);
  if (trace.damage !== undefined) {
    expect(trace.damage.readableUpTo).toBe(trace.length);
    expect(trace.damage.reason).toMatch(/offset \d+/);
  }
  return damaged;
}

const mode = fc.constantFrom<'open' | 'access'>('open', 'access');

describe('a trace', () => {
  it('cut at any byte opens to a prefix or is refused', () => {
    for (let length = 0; length < file.length; length++) {
      expect(expectPrefixOrRefusal(file.slice(0, length), length % 2 === 0 ? 'open' : 'access')).toBe(true);
    }
  });

  it('with a byte flipped opens to a prefix or is refused, and the flip is always noticed', () => {
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), mode, (at, flip, check) => {
        const changed = file.slice();
        changed[at] = (changed[at] as number) ^ flip;
        const noticed = expectPrefixOrRefusal(changed, check);
        // Keyframes and indexes that nobody reads are not compared when a trace is opened without checksums.
        if (check === 'open') expect(noticed).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  it('with many bytes changed, inserted or left out opens to a prefix or is refused', () => {
    const edit = fc.record({ at: fc.nat(file.length), remove: fc.nat(30), insert: fc.uint8Array({ maxLength: 30 }) });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), mode, (edits, check) => {
        let changed = file;
        for (const { at, remove, insert } of edits)
          changed = Uint8Array.from([...changed.slice(0, at), ...insert, ...changed.slice(at + remove)]);
        expectPrefixOrRefusal(changed, check);
      }),
      { numRuns: 1000 },
    );
  });

  it('with chunks repeated, exchanged or left out opens to a prefix', () => {
    const chunks = chunksOf(file);
    const order = fc.array(fc.nat(chunks.length - 1), { maxLength: chunks.length + 3 });
    fc.assert(
      fc.property(order, fc.nat(chunks.length), mode, (indexes, kept, check) => {
        const pieces = [...chunks.slice(0, kept), ...indexes.map((index) => chunks[index] as Uint8Array)];
        expectPrefixOrRefusal(Buffer.concat([file.subarray(0, PREFIX_BYTES), ...pieces]), check);
      }),
      { numRuns: 1000 },
    );
  });

  it('with a chunk of another recording in its place ends before it', () => {
    const other = sampleTrace().file;
    expect(openTrace(Buffer.concat([file, other]))).toMatchObject({
      length: machine.position,
      damage: { code: 'TRACE_AFTER_END', offset: file.length },
    });
    expectPrefixOrRefusal(Buffer.concat([file.subarray(0, 2000), other.subarray(1000)]), 'open');
  });

  it('that grew or shrank since it was opened says so', () => {
    const source = bytesSource(file);
    let size = file.length;
    const trace = openTrace(
      { size, read: (offset, length) => source.read(offset, Math.max(0, Math.min(length, size - offset))) },
      { check: 'access' },
    );
    size = 700;
    expect(() => [...trace.events()]).toThrow(TraceFormatError);
  });

  it('without its end mark tells that the recording was not finished', () => {
    const end = chunksOf(file).at(-1) as Uint8Array;
    const { damage, length } = openTrace(file.slice(0, file.length - end.length));
    expect({ damage, length }).toMatchObject({
      length: machine.position,
      damage: { code: 'TRACE_NO_END', offset: file.length - end.length, readableUpTo: machine.position },
    });
  });

  it('after which a crash left zeros ends where they begin', () => {
    const { damage, length } = openTrace(Buffer.concat([file.slice(0, file.length - 27), new Uint8Array(5000)]));
    expect(length).toBe(machine.position);
    expect(damage).toMatchObject({ code: 'TRACE_CHUNK_KIND' });
  });
});

describe('what is no trace', () => {
  it.each([
    ['an empty file', '', 'TRACE_MAGIC'],
    ['a text', 'POSITION  EVENT\n0 vmxon\n', 'TRACE_MAGIC'],
    ['an ELF file', '\x7fELF\x02\x01\x01', 'TRACE_MAGIC'],
  ])('is refused: %s', (_, text, code) => {
    expect(refusal(Buffer.from(text, 'latin1'))).toMatchObject({ code, details: { offset: 0 } });
  });

  it('is refused: a trace that was transferred as text', () => {
    const asText = Buffer.from(Buffer.from(file).toString('latin1').replaceAll('\r\n', '\n'), 'latin1');
    expect(refusal(asText)).toMatchObject({ code: 'TRACE_MAGIC' });
  });

  it('is refused: a format version of the future, with the versions that are read', () => {
    const future = file.slice();
    future[8] = 2;
    expect(refusal(future)).toMatchObject({ code: 'TRACE_VERSION', details: { offset: 8, found: 2, accepted: [1] } });
  });

  it('is refused: random bytes behind the magic', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, withVersion) => {
        const start = file.subarray(0, withVersion ? PREFIX_BYTES : 8);
        expect(refusal(Buffer.concat([start, bytes]))).toBeInstanceOf(TraceFormatError);
      }),
      { numRuns: 1000 },
    );
  });

  it('allocates nothing for a length that the file does not have', () => {
    const hostile = file.slice();
    hostile.fill(0xff, PREFIX_BYTES + 8, PREFIX_BYTES + 12);
    const before = process.memoryUsage().arrayBuffers;
    expect(refusal(hostile)).toMatchObject({ code: 'TRACE_CUT' });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
  });
});

function refusal(bytes: Uint8Array): unknown {
  try {
    return openTrace(bytes);
  } catch (thrown) {
    return thrown;
  }
}

function chunksOf(bytes: Uint8Array): readonly Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let offset = PREFIX_BYTES; offset < bytes.length; ) {
    const end = endOfChunk(readFrame(bytesSource(bytes), offset));
    chunks.push(bytes.slice(offset, end));
    offset = end;
  }
  return chunks;
}
