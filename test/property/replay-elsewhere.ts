// The other process of elsewhere.test.ts: reads traces from standard input, folds their events, and says what it found.
import {
  apply,
  definitionOf,
  formatDigest,
  initialState,
  type MachineState,
  openTrace,
  stateDigest,
} from '@retrovisor/core';
import { identityOf } from './identity.js';
import { type Kind, pluginsOf } from './machine-plan.js';

/** A trace (base64) and the plugins that it needs. */
export interface ReplayRequest {
  readonly kind: Kind;
  readonly processors: number;
  readonly trace: string;
}

/** The last state: its digest, and everything in it as text. */
export interface ReplayReport {
  readonly folded: string;
  readonly text: string;
}

function replay({ trace: base64, ...machine }: ReplayRequest): ReplayReport {
  const trace = openTrace(Buffer.from(base64, 'base64'));
  const definition = definitionOf(trace.header, { plugins: pluginsOf(machine) });
  let state: MachineState = initialState(definition);
  for (const { event } of trace.events({ definition })) state = apply(definition, state, event).state;
  return { folded: formatDigest(stateDigest(state)), text: identityOf(state) };
}

async function input(): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks).toString('utf8');
}

const requests = JSON.parse(await input()) as readonly ReplayRequest[];
process.stdout.write(JSON.stringify(requests.map(replay)));
