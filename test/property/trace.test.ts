// Through the trace file: what a machine did is written, read and replayed, and every state has the digest that was
// recorded. A file that was cut leads to a state that the machine had. elsewhere.test.ts does it in another process.
import {
  definitionOf,
  formatDigest,
  type Machine,
  type MachineParts,
  memorySink,
  openTrace,
  type RecordOptions,
  recordMachine,
  stateDigest,
  Timeline,
  TraceFormatError,
  verify,
  writeTrace,
} from '@retrovisor/core';
import { type MachineDescription, numa } from '@retrovisor/numa';
import { svm } from '@retrovisor/svm';
import { vmx } from '@retrovisor/vmx';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { perform, type Scenario, scenario } from './action.js';
import { expectSame } from './identity.js';
import { makeMachine } from './machine-plan.js';
import { runs } from './runs.js';

const DENSE: RecordOptions = { digestEvery: 40, keyframeEvery: 90, chunkBytes: 300, chunkEvents: 9 };
/** By name, numa with the machine description of the header. */
const parts: MachineParts = {
  plugins: { vmx, svm, numa: (configuration) => numa(configuration as MachineDescription) },
};

function record({ plan, actions }: Scenario): { machine: Machine; file: Uint8Array } {
  const machine = makeMachine(plan);
  const sink = memorySink();
  const recording = recordMachine(machine, sink, DENSE);
  for (const action of actions) perform(machine, action);
  recording.close();
  return { machine, file: sink.bytes() };
}

const digestOf = (machine: Machine): string => formatDigest(stateDigest(machine.state));

describe('a trace file', () => {
  it('replays to the state of the machine, every digest on the way the recorded one', () => {
    fc.assert(
      fc.property(scenario(), (each) => {
        const { machine, file } = record(each);
        expect(verify(openTrace(file), parts)).toMatchObject({
          positions: machine.position,
          digest: digestOf(machine),
        });
      }),
      runs(12),
    );
  });

  it('has keyframes that are the states of the timeline, byte for byte', () => {
    fc.assert(
      fc.property(scenario(), (each) => {
        const { machine, file } = record(each);
        const trace = openTrace(file);
        const definition = definitionOf(trace.header, parts);
        const timeline = new Timeline(machine.definition, machine.log);
        for (const position of trace.keyframes) {
          expectSame(
            trace.stateBefore(position, definition),
            timeline.seek(position),
            `keyframe ${position} | timeline`,
          );
        }
      }),
      runs(12),
    );
  });

  it('made of the log afterwards replays to the same state', () => {
    fc.assert(
      fc.property(scenario({ actions: 6 }), (each) => {
        const { machine } = record(each);
        const sink = memorySink();
        writeTrace(machine.definition, machine.log, sink, DENSE);
        expect(verify(openTrace(sink.bytes()), parts).digest).toBe(digestOf(machine));
      }),
      runs(10),
    );
  });

  it('that was cut anywhere verifies up to where it can be read, to a state that the machine had', () => {
    fc.assert(
      fc.property(scenario({ actions: 6 }), fc.double({ min: 0, max: 1, noNaN: true }), (each, share) => {
        const { machine, file } = record(each);
        const cut = file.slice(0, Math.floor(file.length * share));
        try {
          const trace = openTrace(cut);
          const there = new Timeline(machine.definition, machine.log).seek(trace.length);
          expect(verify(trace, parts)).toMatchObject({
            positions: trace.length,
            digest: formatDigest(stateDigest(there)),
          });
        } catch (thrown) {
          if (!(thrown instanceof TraceFormatError)) throw thrown;
        }
      }),
      runs(15),
    );
  });
});
