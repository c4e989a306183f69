// Files that somebody made on purpose: every checksum is right, the content is not. Each is refused with a typed error when
// the content is read; what it claims is never allocated.
import { describe, expect, it } from 'vitest';
import { TraceFormatError } from '../../src/error.js';
import { initialState } from '../../src/state/initial-state.js';
import { ByteWriter } from '../../src/trace/byte-writer.js';
import { encodeCanonical } from '../../src/trace/canonical.js';
import { encodeChunk } from '../../src/trace/chunk.js';
import { encodeIndex } from '../../src/trace/chunk-index.js';
import { definitionOf } from '../../src/trace/definition-of.js';
import { stateDigest } from '../../src/trace/digest.js';
import { type ChunkName, FORMAT_VERSION, MAGIC } from '../../src/trace/format.js';
import { encodeHeader, headerOf } from '../../src/trace/header.js';
import { encodeKeyframe } from '../../src/trace/keyframe.js';
import { openTrace, type Trace } from '../../src/trace/reader.js';
import { headerSeed, traceSeed } from '../../src/trace/seed.js';
import { tally, tallyMachine } from './recordings.js';

const machine = tallyMachine();
const { definition } = machine;
const goodHeader = headerOf(definition);

type Piece = readonly [kind: ChunkName, position: number, payload: Uint8Array];

/** A file of chunks with right checksums. */
function forged(pieces: readonly Piece[], header: Uint8Array = encodeHeader(goodHeader)): Uint8Array {
  const prefix = new ByteWriter().raw(MAGIC).littleEndian(FORMAT_VERSION, 4).take();
  const file = new ByteWriter().raw(prefix);
  file.raw(encodeChunk('header', 0, header, file.length, headerSeed(prefix)));
  const seed = traceSeed(headerSeed(prefix), header);
  for (const [kind, position, payload] of pieces) file.raw(encodeChunk(kind, position, payload, file.length, seed));
  return file.take();
}

const bytes = (...values: number[]) => Uint8Array.from(values);
const end: Piece = ['end', 0, bytes(0, 0, 0, 0, 0, 0, 0)];

function refusalOf(work: () => unknown): unknown {
  const before = process.memoryUsage().arrayBuffers;
  try {
    work();
  } catch (thrown) {
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 2 ** 20);
    expect(thrown).toBeInstanceOf(TraceFormatError);
    return thrown;
  }
  return expect.unreachable('it was accepted');
}

const readEvents = (payload: Uint8Array): Trace => {
  const trace = openTrace(forged([['events', 0, payload], end]));
  for (const _ of trace.events({ definition }));
  return trace;
};

describe('events with right checksums', () => {
  const LONG = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];

  it.each([
    ['more events than bytes', bytes(1, ...LONG, 0, 1)],
    ['no event for its positions', bytes(5, 0)],
    ['fewer positions than promised', bytes(5, 1, 0, 4)],
    ['more positions than promised', bytes(5, 1, 0, 6)],
    ['bytes after the last one', bytes(1, 1, 0, 1, 0)],
    ['a run of no steps', bytes(1, 2, 0, 0, 0, 1)],
    ['a form that does not exist', bytes(1, 1, 7, 0)],
    ['a name that was never written', bytes(1, 1, 2, 9, 2, 5)],
    ['operands that are not there', bytes(1, 1, 1, 0, 1, 0x61, ...LONG)],
    ['an integer of 2^52 bytes', bytes(1, 1, 2, 0, 1, 0x61, ...LONG)],
    ['a number that is not in its shortest form', bytes(1, 1, 0x80, 0)],
    ['a name that is no UTF-8', bytes(1, 1, 2, 0, 1, 0xff, 2, 5)],
    [
      "an event that claims to be core's",
      bytes(1, 1, 4, 0, 3, 0x6d, 0x2f, 0x77, 1, 0, 4, 0x74, 0x79, 0x70, 0x65, 0xf6),
    ],
    ['a processor that is not there', bytes(1, 1, 8 * 9, 1)],
  ])('are refused: %s', (_, payload) => {
    expect(refusalOf(() => readEvents(payload))).toMatchObject({ details: { offset: expect.any(Number) } });
  });

  it('are refused with the name of an event that no plugin knows', () => {
    const payload = new ByteWriter()
      .varint(1)
      .varint(1)
      .varint(4)
      .varint(0)
      .text('stranger/happened')
      .varint(1)
      .varint(0)
      .text('x')
      .raw(encodeCanonical({ toString: 1 }));
    expect(refusalOf(() => readEvents(payload.take()))).toMatchObject({
      code: 'TRACE_UNKNOWN_EVENT',
      details: { type: 'stranger/happened', readableUpTo: 0 },
    });
  });

  it('are refused with the field that its codec does not accept', () => {
    const payload = new ByteWriter()
      .varint(1)
      .varint(1)
      .varint(4)
      .varint(0)
      .text('tally/counted')
      .varint(1)
      .varint(0)
      .text('by')
      .raw(encodeCanonical({ toString: 1 }));
    expect(refusalOf(() => readEvents(payload.take()))).toMatchObject({
      code: 'TRACE_BAD_EVENT',
      details: { field: 'by', accepted: 'u8' },
    });
  });

  it('can be listed without the plugin that knows them', () => {
    const payload = new ByteWriter()
      .varint(1)
      .varint(1)
      .varint(4)
      .varint(0)
      .text('stranger/happened')
      .varint(1)
      .varint(0)
      .text('x')
      .raw(encodeCanonical(5n));
    const trace = openTrace(forged([['events', 0, payload.take()], end]));
    expect([...trace.events()]).toEqual([{ position: 0, event: { type: 'stranger/happened', x: 5n } }]);
  });

  it('end where their positions would exceed 2^53', () => {
    const { damage, length } = openTrace(
      forged([['events', 0, bytes(...LONG, 1, 0, ...LONG)], ['events', 2 ** 53 - 1, bytes(1, 1, 0, 1)], end]),
    );
    expect(length).toBe(2 ** 53 - 1);
    expect(damage).toMatchObject({ code: 'TRACE_MALFORMED' });
  });
});

describe('a header with a right checksum', () => {
  it.each([
    ['no map', encodeCanonical(5)],
    ['no processors', encodeCanonical({ ...goodHeader, processors: undefined })],
    ['a number of processors that is text', encodeCanonical({ ...goodHeader, processors: '2' })],
    ['plugins that are no list', encodeCanonical({ ...goodHeader, plugins: { length: 2 ** 31 } })],
    ['a plugin without a version', encodeCanonical({ ...goodHeader, plugins: [{ name: 'x' }] })],
    [
      'a boot image of an unknown mode',
      encodeCanonical({ ...goodHeader, boot: { mode: 'virtual', segments: [], entry: 0 } }),
    ],
    ['nothing but brackets', bytes(...new Array<number>(5000).fill(0x81))],
    ['a list of 2^31 plugins', bytes(0x9a, 0x80, 0, 0, 0)],
  ])('is refused: %s', (_, header) => {
    expect(refusalOf(() => openTrace(forged([end], header)))).toMatchObject({
      details: { offset: expect.any(Number) },
    });
  });

  it('cannot ask for a machine that cannot be: what makes machines refuses it', () => {
    const huge = openTrace(forged([end], encodeHeader({ ...goodHeader, processors: 2 ** 40 })));
    expect(() => definitionOf(huge.header, { plugins: { tally } })).toThrow(/processors/);
  });
});

describe('a keyframe with a right checksum', () => {
  const state = initialState(definition);
  const digest = stateDigest(state);
  const good = { turn: { processor: 0, used: 0 }, processors: {} };
  const noFrames = bytes(0);

  const read = (changes: unknown, frames: Uint8Array, prefix = digest) => {
    const payload = new ByteWriter().raw(prefix).raw(encodeCanonical(changes)).raw(frames).take();
    return openTrace(forged([['keyframe', 0, payload], end])).stateBefore(0, definition);
  };
  const { id: _id, activity: _activity, ...first } = state.processors[0] as (typeof state.processors)[0];
  const withProcessor = (processor: unknown) => ({ ...good, processors: { 0: processor } });

  it.each([
    ['no map', 5, noFrames],
    ['a turn of a processor that is not there', { ...good, turn: { processor: 2, used: 0 } }, noFrames],
    ['a turn that is longer than the quantum', { ...good, turn: { processor: 0, used: 2 ** 40 } }, noFrames],
    ['a processor that is not there', { ...good, processors: { 7: first } }, noFrames],
    ['a processor without registers', withProcessor({ plugins: {} }), noFrames],
    [
      'a register that is no bigint',
      withProcessor({ ...first, general: { ...first.general, RAX: { toString: 1 } } }),
      noFrames,
    ],
    [
      'a register wider than it is',
      withProcessor({ ...first, general: { ...first.general, RAX: 2n ** 64n } }),
      noFrames,
    ],
    [
      'an activity that does not exist',
      withProcessor({ ...first, internal: { ...first.internal, activity: 99n } }),
      noFrames,
    ],
    ['slices of other plugins', { ...good, plugins: { stranger: {} } }, noFrames],
    ['frames that are not there', good, bytes(0xff, 0xff, 0xff, 0xff, 0xff, 0x07)],
    ['a frame outside RAM', good, bytes(1, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 0, 1, 1)],
    ['a run that leaves its frame', good, bytes(1, 0, 1, 0xff, 0x1f, 2, 1, 1)],
    ['bytes after the frames', good, bytes(0, 0)],
    ['another state than its digest promises', { ...good, turn: { processor: 0, used: 1 } }, noFrames],
  ])('is refused: %s', (_, changes, frames) => {
    refusalOf(() => read(changes, frames));
  });

  it('is refused if it makes more memory than is allowed', () => {
    const busy = tallyMachine();
    for (let frame = 0; frame < 300; frame++) busy.writeMemory(0x30_0000 + frame * 4096, Uint8Array.of(1));
    const payload = encodeKeyframe(initialState(busy.definition), { ...busy.state, position: 0 });
    const file = forged([['keyframe', 0, payload], end]);
    expect(openTrace(file).stateBefore(0, busy.definition).memory.usedFrames).toBeGreaterThan(300);
    expect(
      refusalOf(() => openTrace(file, { mostKeyframeBytes: 2 ** 20 }).stateBefore(0, busy.definition)),
    ).toMatchObject({ code: 'TRACE_MALFORMED' });
  });
});

describe('an index with a right checksum', () => {
  const at = (offset: number): Piece => ['end', 0, new ByteWriter().littleEndian(offset, 7).take()];
  const headerEnd = forged([]).length;

  it.each([
    ['that leads to itself', [['index', 0, encodeIndex(headerEnd, [])], at(headerEnd)]],
    ['that leads behind itself', [['index', 0, encodeIndex(headerEnd + 50, [])], at(headerEnd)]],
    [
      'of chunks that are not there',
      [['index', 0, encodeIndex(0, [{ kind: 'events', position: 0, offset: 0, length: 1e9 }])], at(headerEnd)],
    ],
    ['with more entries than bytes', [['index', 0, bytes(0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0x7f)], at(headerEnd)]],
    ['that is no index', [['digest', 0, stateDigest(initialState(definition))], at(headerEnd)]],
    ['that is not there', [at(2 ** 50)]],
  ] as [string, Piece[]][])('%s is not believed: the file is scanned', (_, pieces) => {
    expect(openTrace(forged(pieces), { check: 'access' })).toMatchObject({ length: 0, damage: undefined });
  });
});
