// The witness of format version 1: a file that was written once and is never written again. What it says must be read for
// ever. Its digests are not compared: those belong to the instructions of that day, not to the format.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EventLog } from '../../src/machine/log.js';
import { formatDigest } from '../../src/trace/digest.js';
import { openTrace } from '../../src/trace/reader.js';

const file = readFileSync(new URL('version-1.rvt', import.meta.url));
const runOf = (steps: number) => ({ type: 'processor/stepsRetired', processor: 0, steps });
const poke = { type: 'processor/registerSet', processor: 1, register: 'RAX', value: 0xffff_ffff_8000_0000n };
const write = { type: 'memory/written', address: 0x30_0000, bytes: Uint8Array.of(1, 2, 3) };
const count = { type: 'tally/counted', by: 7, total: 9n, note: 'seven', data: Uint8Array.of(7) };

describe('a trace of format version 1', () => {
  const trace = openTrace(file);

  it('has its header', () => {
    expect(trace.header).toMatchObject({
      retrovisor: '0.1.0',
      profile: { name: 'intel-emerald-rapids', digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
      processors: 2,
      memory: 0x100_0000,
      quantum: 100_000,
      plugins: [{ name: 'tally', version: '1.2.3', configuration: { limit: 5n }, machineSlice: 1, processorSlice: 2 }],
      boot: { mode: 'long', entry: 0x10_0000, segments: [{ address: 0x10_0000, bytes: expect.any(Uint8Array) }] },
    });
  });

  it('has its events', () => {
    const log = new EventLog([...trace.events()].map(({ event }) => event));
    const start = { type: 'processor/registerSet', processor: 0, register: 'RBX', value: 0x20_0000n };
    const round = [runOf(700), poke, write, count];
    expect(log.entries().map(({ event }) => event)).toEqual([
      start,
      ...round,
      ...round,
      runOf(700),
      count,
      count,
      poke,
      ...round,
    ]);
    expect([trace.length, trace.damage]).toEqual([2813, undefined]);
  });

  it('has its digests and keyframes', () => {
    const digests = [...trace.digests()].map(
      ({ position, digest }) => `${position} ${formatDigest(digest).slice(0, 16)}`,
    );
    expect(digests).toMatchInlineSnapshot(`
      [
        "0 61b4749e3b6a3d78",
        "701 9eb8cccde4d78589",
        "1404 fb89baca3d5d7018",
        "2107 417139038ccf7696",
        "2810 067c871311526269",
        "2813 10a663c1a3d4e343",
      ]
    `);
    expect(trace.keyframes).toMatchInlineSnapshot(`
      [
        2107,
      ]
    `);
  });
});
