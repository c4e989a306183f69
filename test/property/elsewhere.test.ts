// In another process the pure function makes the same states of the same events: not only do the digests agree, but also
// the states themselves, spelled out.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Machine, memorySink, writeTrace } from '@retrovisor/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { play, scenario } from './action.js';
import { digestOf, identityOf } from './identity.js';
import type { ReplayReport, ReplayRequest } from './replay-elsewhere.js';
import { runs } from './runs.js';

function written(machine: Machine): string {
  const sink = memorySink();
  writeTrace(machine.definition, machine.log, sink);
  return Buffer.from(sink.bytes()).toString('base64');
}

function replayElsewhere(requests: readonly ReplayRequest[]): readonly ReplayReport[] {
  const program = fileURLToPath(new URL('replay-elsewhere.ts', import.meta.url));
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=@retrovisor/source', '--import', 'tsx', program],
    { input: JSON.stringify(requests), encoding: 'utf8', maxBuffer: 2 ** 28 },
  );
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as readonly ReplayReport[];
}

describe('another process', () => {
  it('folds the same events to the same states', () => {
    const played = fc
      .sample(scenario({ steps: 100 }), runs(25))
      .map((each) => ({ plan: each.plan, machine: play(each) }));
    const requests = played.map(
      ({ plan, machine }): ReplayRequest => ({ kind: plan.kind, processors: plan.processors, trace: written(machine) }),
    );
    const expected = played.map(
      ({ machine: { state } }): ReplayReport => ({ folded: digestOf(state), text: identityOf(state) }),
    );
    expect(replayElsewhere(requests)).toEqual(expected);
  });
});
