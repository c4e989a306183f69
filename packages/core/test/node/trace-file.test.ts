import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { TraceFormatError, UsageError } from '../../src/error.js';
import { fileSink, openTraceFile, recordToFile } from '../../src/node.js';
import { formatDigest, stateDigest } from '../../src/trace/digest.js';
import { verify } from '../../src/trace/replay.js';
import { DENSE, sampleTrace, tally, tallyMachine } from '../trace/recordings.js';

const folder = mkdtempSync(join(tmpdir(), 'retrovisor-'));
afterAll(() => rmSync(folder, { recursive: true }));

function refusal(work: () => unknown): unknown {
  try {
    return work();
  } catch (thrown) {
    return thrown;
  }
}

describe('a trace in a file', () => {
  it('is written while the machine runs and read back', () => {
    const path = join(folder, 'run.trace');
    const machine = tallyMachine();
    const recording = recordToFile(machine, path, DENSE);
    for (let turn = 0; turn < 5; turn++) machine.step(0, 700);
    // Another process could read it now: all but the last chunk is there, and it says that it is not finished.
    const running = openTraceFile(path);
    expect(running.damage?.code).toBe('TRACE_NO_END');
    expect(running.length).toBeGreaterThan(2000);
    running.close();
    recording.close();
    expect(readFileSync(path).length).toBe(recording.bytesWritten);
    for (const check of ['open', 'access'] as const) {
      const trace = openTraceFile(path, { check });
      expect(verify(trace, { plugins: { tally } })).toMatchObject({
        positions: 3501,
        digest: formatDigest(stateDigest(machine.state)),
      });
      trace.close();
    }
  });

  it('that was cut, or goes on after its end, tells where', () => {
    const path = join(folder, 'cut.trace');
    const { file, machine } = sampleTrace();
    writeFileSync(path, file);
    appendFileSync(path, 'more');
    const longer = openTraceFile(path);
    expect(longer).toMatchObject({
      length: machine.position,
      damage: { code: 'TRACE_AFTER_END', offset: file.length },
    });
    longer.close();
    truncateSync(path, 1500);
    const shorter = openTraceFile(path);
    expect(shorter.damage?.offset).toBeLessThan(1500);
    shorter.close();
  });

  it.each([
    ['that does not exist', join(folder, 'missing.trace'), 'ENOENT'],
    ['that is a folder', folder, 'ENOTFILE'],
  ])('%s is a typed error with the path', (_, path, reason) => {
    const error = refusal(() => openTraceFile(path));
    expect(error).toBeInstanceOf(TraceFormatError);
    expect(error).toMatchObject({
      code: 'TRACE_FILE_UNREADABLE',
      details: { path, reason },
      message: expect.stringContaining(path),
    });
  });

  it('that is no trace is a typed error with the path', () => {
    const path = join(folder, 'text');
    writeFileSync(path, 'not a trace');
    expect(refusal(() => openTraceFile(path))).toMatchObject({ code: 'TRACE_MAGIC', details: { path, offset: 0 } });
  });

  it('that cannot be written is a typed error with the path', () => {
    const path = join(folder, 'no', 'such', 'folder.trace');
    const error = refusal(() => fileSink(path));
    expect(error).toBeInstanceOf(UsageError);
    expect(error).toMatchObject({ code: 'TRACE_FILE_UNWRITABLE', details: { path, reason: 'ENOENT' } });
  });
});
