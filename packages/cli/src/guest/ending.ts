// How a guest ended, for JSON and for the person: what stopped it, the registers of a processor that shut down, the
// instruction, the rule, and the command to type next.
import { type Explanation, isFailure, type Step, Timeline } from '@retrovisor/core';
import type { Colours } from '../output/colour.js';
import { explanationDocument } from '../output/explanation.js';
import { command, sameArguments } from '../output/next.js';
import { faultText, outcomeText } from '../output/outcome.js';
import { registerTable } from '../output/register-table.js';
import { stepDocument, stepSentence } from '../output/step-list.js';
import { indented, table } from '../output/table.js';
import type { Session } from './session.js';

/** What is known of a failure at the end of a session. */
interface Failure {
  readonly step: Step;
  readonly explanation: Explanation | undefined;
}

/** The last step, if it failed: looked for from the checkpoint on, so that a long run is not replayed. */
function failureOf({ guest: { machine }, run, outcome }: Session): Failure | undefined {
  const isCrash = run === undefined ? outcome !== undefined && isFailure(outcome) : run.stop.reason === 'shutdown';
  if (!isCrash || machine.position === 0) return undefined;
  const start = run?.checkpoint;
  const timeline = start === undefined ? machine.timeline() : new Timeline(machine.definition, machine.log, start);
  const step = timeline.previous((each) => isFailure(each.outcome));
  return step === undefined ? undefined : { step, explanation: timeline.why(step.position) };
}

/** A session for JSON: what `run --json` and `record --json` print. */
export function sessionDocument(session: Session, trace?: { readonly path: string; readonly bytes: number }): unknown {
  const { guest, run, outcome, console, status } = session;
  const { definition, position } = guest.machine;
  const failure = failureOf(session);
  return {
    input: guest.path,
    profile: definition.profile.name,
    processors: definition.processors,
    memory: definition.memoryBytes,
    plugins: definition.plugins.map(({ name, version }) => ({ name, version })),
    position,
    stop: run?.stop ?? { reason: 'script' },
    outcome: outcome ?? null,
    failure:
      failure === undefined
        ? null
        : {
            step: stepDocument(failure.step),
            explanation: failure.explanation === undefined ? null : explanationDocument(failure.explanation),
          },
    console,
    trace: trace ?? null,
    status,
  };
}

/** A session for the person, on stderr: empty for a run that ended as it should and was not recorded. */
export function sessionText(session: Session, colours: Colours, tracePath?: string): string {
  const { run, outcome } = session;
  const failure = failureOf(session);
  const parts = [
    ...(run?.stop.reason === 'shutdown' ? [crashText(session, run.stop.processor, colours)] : []),
    stopText(session),
    ...(failure === undefined ? [] : [failureText(failure, colours)]),
    ...(failure === undefined && run === undefined && outcome !== undefined && isFailure(outcome)
      ? [outcomeText(outcome)]
      : []),
    `next: ${nextCommand(tracePath, failure !== undefined)}`,
  ];
  return parts.join('\n');
}

function crashText({ guest: { machine } }: Session, processor: number, colours: Colours): string {
  const state = machine.state.processors[processor];
  return state === undefined ? '' : `${registerTable(machine.definition, state, undefined, colours)}\n`;
}

function stopText({ guest, run }: Session): string {
  const { path, machine } = guest;
  const at = `at position ${machine.position}`;
  const stop = run?.stop;
  switch (stop?.reason) {
    case undefined:
      return `${path}: the script ended ${at}`;
    case 'budget':
      return `${path}: stopped ${at}, as many instructions as --max-instructions allows`;
    case 'waiting':
      return `${path}: every processor waits for an input that nobody will send, ${at}`;
    case 'exit':
      return `${path}: the guest ended the run with ${stop.value} ${at}`;
    case 'shutdown':
      return `${path}: processor ${stop.processor} shut down ${at}`;
    case 'timeout':
      return `${path}: stopped after ${stop.seconds} s ${at}`;
    case 'interrupted':
      return `${path}: interrupted ${at}`;
  }
}

function failureText({ step, explanation }: Failure, colours: Colours): string {
  const chain = explanation?.chain ?? [];
  const rows = chain.map((fault, index) => [
    index === 0 ? 'first' : 'then',
    colours.red(faultText(fault)),
    fault.rule ?? '',
  ]);
  const violated = (explanation?.violations ?? []).filter(({ decided }) => decided);
  const lines = [
    colours.red(stepSentence(step)),
    ...(rows.length < 2 ? [] : [indented(table([], rows, colours))]),
    ...violated.map(({ rule, explain }) => indented(`${colours.yellow(rule)}: ${explain}`)),
  ];
  return lines.join('\n');
}

/** What leads on: without a trace, recording one. */
function nextCommand(trace: string | undefined, failed: boolean): string {
  if (trace === undefined) return command('record', ...sameArguments(), '-o', 'run.rvt');
  return failed ? command('why', trace) : command('events', trace);
}
