// How a guest ended, for JSON and for the person: what stopped it, the registers of a processor that shut down, the
// instruction, the rule, and the command to type next.
import {
  type CompiledListing,
  type Explanation,
  type Faulted,
  isFailure,
  type Outcome,
  type Step,
  Timeline,
} from '@retrovisor/core';
import type { Colours } from '../output/colour.js';
import { explanationDocument } from '../output/explanation.js';
import { command, sameArguments } from '../output/next.js';
import { outcomeText } from '../output/outcome.js';
import { processorTable } from '../output/register-table.js';
import { stepDocument, stepSentence } from '../output/step-list.js';
import { indented } from '../output/table.js';
import { type CrashReport, crashDocument, crashReport, crashText } from './crash-report.js';
import type { Session } from './session.js';

/** What is known of a failure at the end of a session. */
interface Failure {
  readonly step: Step;
  readonly explanation: Explanation | undefined;
}

/** The last step of a run that shut down, which is the one that failed; of a script the last step that failed. */
function failureOf({ guest: { machine }, run, outcome }: Session): Failure | undefined {
  if (machine.position === 0) return undefined;
  if (run !== undefined) {
    if (run.stop.reason !== 'shutdown') return undefined;
    const timeline = new Timeline(machine.definition, machine.log, run.checkpoint);
    const position = machine.position - 1;
    return { step: timeline.stepAt(position), explanation: timeline.why(position) };
  }
  if (outcome === undefined || !isFailure(outcome)) return undefined;
  const step = machine.timeline().lastFailure();
  return step === undefined ? undefined : { step, explanation: machine.timeline().why(step.position) };
}

/** The report of a processor that shut down. */
function crashOf({ guest: { machine }, run }: Session): CrashReport | undefined {
  if (run?.stop.reason !== 'shutdown') return undefined;
  const { processor, outcome } = run.stop;
  return crashReport(machine, processor, run.checkpoint, chainOf(outcome));
}

function chainOf(outcome: Outcome): readonly Faulted[] {
  return outcome.kind === 'shutdown' ? (outcome as { readonly chain: readonly Faulted[] }).chain : [];
}

/** A session for JSON: what `run --json` and `record --json` print. */
export function sessionDocument(
  session: Session,
  trace?: { readonly path: string; readonly bytes: number },
  compiled?: CompiledListing,
): unknown {
  const { guest, run, outcome, console, status } = session;
  const { definition, position } = guest.machine;
  const failure = failureOf(session);
  const crash = crashOf(session);
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
    crash: crash === undefined ? null : crashDocument(crash),
    console,
    trace: trace ?? null,
    ...(compiled === undefined ? {} : { compiled }),
    status,
  };
}

/** A session for the person, on stderr: empty for a run that ended as it should and was not recorded. */
export function sessionText(session: Session, colours: Colours, tracePath?: string): string {
  const { guest, run, outcome } = session;
  const failure = failureOf(session);
  const crash = crashOf(session);
  const isUnfinished = run !== undefined && ['waiting', 'timeout', 'interrupted'].includes(run.stop.reason);
  const parts = [
    ...(crash === undefined ? [] : [crashText(crash, colours)]),
    stopText(session),
    ...(isUnfinished ? [indented(processorTable(guest.machine.state.processors, colours))] : []),
    ...(failure === undefined ? [] : [failureText(failure, colours)]),
    ...(failure === undefined && run === undefined && outcome !== undefined && isFailure(outcome)
      ? [outcomeText(outcome)]
      : []),
    ...nextCommands(tracePath, failure !== undefined).map((next) => `next: ${next}`),
  ];
  return parts.join('\n');
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
      return `${path}: the guest waits ${at}: every processor has halted, and no timer and no device will wake one`;
    case 'exit':
      return `${path}: the guest ended the run with ${stop.value} ${at}`;
    case 'reset':
      return `${path}: the guest asked ${stop.device} to reset the machine ${at}`;
    case 'power-off':
      return `${path}: the guest switched the machine off ${at}`;
    case 'shutdown':
      return `${path}: processor ${stop.processor} shut down ${at}`;
    case 'timeout':
      return `${path}: stopped after ${stop.seconds} s ${at}`;
    case 'interrupted':
      return `${path}: interrupted ${at}`;
  }
}

function failureText({ step, explanation }: Failure, colours: Colours): string {
  const violated = (explanation?.violations ?? []).filter(({ decided }) => decided);
  const lines = [
    colours.red(stepSentence(step)),
    ...violated.map(({ rule, explain }) => indented(`${colours.yellow(rule)}: ${explain}`)),
  ];
  return lines.join('\n');
}

/** What leads on: without a trace, recording one. */
function nextCommands(trace: string | undefined, failed: boolean): readonly string[] {
  if (trace !== undefined) return [failed ? command('why', trace) : command('events', trace)];
  const recording = command('record', ...sameArguments(), '-o', 'run.rvt');
  return failed ? [recording, command('why', 'run.rvt')] : [recording];
}
