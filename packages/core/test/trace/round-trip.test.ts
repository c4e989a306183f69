import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Timeline } from '../../src/timeline/timeline.js';
import { definitionOf } from '../../src/trace/definition-of.js';
import { formatDigest, stateDigest } from '../../src/trace/digest.js';
import { memorySink } from '../../src/trace/in-memory.js';
import { openTrace } from '../../src/trace/reader.js';
import { recordMachine, writeTrace } from '../../src/trace/record.js';
import { logOf, verify } from '../../src/trace/replay.js';
import { DENSE, happenings, perform, record, sampleTrace, tally, tallyMachine } from './recordings.js';

const parts = { plugins: { tally } };

describe('a recorded trace', () => {
  it('has the events of the log, and its replay ends in the state of the machine', () => {
    fc.assert(
      fc.property(happenings, fc.constantFrom('open', 'access'), (list, check) => {
        const { machine, file } = record(list);
        const trace = openTrace(file, { check });
        expect([trace.damage, trace.length]).toEqual([undefined, machine.position]);
        expect(logOf(trace, definitionOf(trace.header, parts)).entries()).toEqual(machine.log.entries());
        expect(verify(trace, parts)).toMatchObject({
          positions: machine.position,
          digest: formatDigest(stateDigest(machine.state)),
        });
      }),
      { numRuns: 30 },
    );
  });

  it('has the states of its keyframes, whatever the order in which they are asked for', () => {
    fc.assert(
      fc.property(happenings, fc.array(fc.nat(), { minLength: 4, maxLength: 8 }), (list, order) => {
        const { machine, file } = record(list);
        const trace = openTrace(file);
        const definition = definitionOf(trace.header, parts);
        const timeline = new Timeline(definition, logOf(trace, definition));
        for (const each of order) {
          const position = each % (machine.position + 1);
          const state = trace.stateBefore(position, definition);
          const nearest = [0, ...trace.keyframes].findLast((keyframe) => keyframe <= position);
          expect(state.position).toBe(nearest);
          expect(formatDigest(stateDigest(state))).toBe(formatDigest(stateDigest(timeline.seek(state.position))));
          expect(Object.isFrozen(state.processors[0]?.general) && Object.isFrozen(state.plugins['tally'])).toBe(true);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('gives any range of positions, runs of steps cut to fit', () => {
    const { machine, file } = sampleTrace();
    const trace = openTrace(file);
    const range = fc
      .tuple(fc.nat(machine.position), fc.nat(machine.position))
      .map((pair) => pair.toSorted((a, b) => a - b) as [number, number]);
    fc.assert(
      fc.property(range, ([from, to]) => {
        expect([...trace.events({ from, to })].flatMap(single)).toEqual(
          [...machine.log.slice(from, to)].flatMap(single),
        );
      }),
    );
  });

  it('can begin with what the machine did before it was recorded', () => {
    fc.assert(
      fc.property(happenings, happenings, (before, after) => {
        const machine = tallyMachine();
        for (const each of before) perform(machine, each);
        const recorded = record(after, DENSE, machine);
        expect(verify(openTrace(recorded.file), parts).digest).toBe(formatDigest(stateDigest(machine.state)));
      }),
      { numRuns: 10 },
    );
  });

  it('can be made of a log afterwards', () => {
    const { machine } = sampleTrace();
    const sink = memorySink();
    writeTrace(machine.definition, machine.log, sink, DENSE);
    expect(verify(openTrace(sink.bytes()), parts)).toMatchObject({
      positions: machine.position,
      digest: formatDigest(stateDigest(machine.state)),
    });
  });

  it('is the same file when the same things happen', () => {
    expect(sampleTrace().file).toEqual(sampleTrace().file);
  });

  it('keeps recording what happened before an error ended the stream', () => {
    const machine = tallyMachine();
    const sink = memorySink();
    const recording = recordMachine(machine, sink);
    machine.step(0, 5);
    // FLD1 is an instruction that this machine knows and does not model: the run ends with a typed error.
    machine.writeMemory(0x10_0000 + 12, Uint8Array.of(0x90, 0xd9, 0xe8));
    machine.processor(0).set('RIP', 0x10_000cn);
    try {
      machine.run({ maxSteps: 10 });
    } catch {}
    recording.close();
    expect(openTrace(sink.bytes()).length).toBe(machine.position);
  });
});

describe('the size of a trace', () => {
  it('is some bytes a million fetched instructions', () => {
    const { file } = record([{ type: 'steps', steps: 1_000_000 }], {});
    const { file: longer } = record(
      Array.from({ length: 3 }, () => ({ type: 'steps' as const, steps: 1_000_000 })),
      {},
    );
    expect(longer.length - file.length).toBeLessThan(400);
  });

  it('is less than 16 bytes an intrinsic', () => {
    const call = {
      type: 'processor/registerSet',
      processor: 0,
      register: 'RAX',
      value: 0xffff_ffff_8000_0000n,
    } as const;
    const { file } = record(
      Array.from({ length: 10_000 }, () => call),
      {},
    );
    expect(file.length).toBeLessThan(160_000);
  });
});

/** Runs that were continued are one entry in a log and may be several in a file: compared step by step. */
function single({ position, event }: { position: number; event: { type: string; steps?: unknown } }): unknown[] {
  if (event.type !== 'processor/stepsRetired') return [{ position, event }];
  return Array.from({ length: event.steps as number }, (_, index) => ({
    position: position + index,
    event: { ...event, steps: 1 },
  }));
}
