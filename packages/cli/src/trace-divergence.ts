// Where two traces part. Execution is deterministic, so that as long as machines, initial states and events are the same,
// so is everything else: that stretch needs no replay.
import {
  type Difference,
  diff,
  isStepsRetired,
  type LogEntry,
  type MachineDefinition,
  positionsOf,
  type Step,
} from '@retrovisor/core';
import type { Output } from './output/output.js';
import type { TraceInput } from './trace-input.js';

/** The first difference between two traces. */
export interface Divergence {
  /** The first position at which different things happened or the states differ; undefined if there is none. */
  readonly position: number | undefined;
  /** What differs in the machines themselves. */
  readonly machine: readonly { readonly name: string; readonly values: readonly [string, string] }[];
  /** What happened there; undefined in a trace that ends. */
  readonly left: Step | undefined;
  readonly right: Step | undefined;
  /** Between the states before that step. */
  readonly differences: readonly Difference[];
}

/** Finds the first position at which two traces differ. */
export function findDivergence(one: TraceInput, other: TraceInput, output: Output): Divergence {
  const machine = machineDifferences(one.definition, other.definition);
  const start = [...statesDiffer(one, other, 0)];
  const sameStart = start.length === 0 && machine.length === 0;
  const position = firstDifference(one, other, sameStart ? commonEvents(one, other) : 0, output);
  if (position === undefined)
    return {
      position: start.length === 0 ? undefined : 0,
      machine,
      left: undefined,
      right: undefined,
      differences: start,
    };
  const [left, right] = [one, other].map(({ timeline }) =>
    position < timeline.length ? timeline.stepAt(position) : undefined,
  );
  return { position, machine, left, right, differences: [...statesDiffer(one, other, position)] };
}

/** Compared in the first trace's terms; processors that only one has are a difference of the machines. */
function statesDiffer(one: TraceInput, other: TraceInput, position: number): IterableIterator<Difference> {
  return diff(one.definition, one.timeline.seek(position), other.timeline.seek(position));
}

function machineDifferences(one: MachineDefinition, other: MachineDefinition): Divergence['machine'] {
  const facts = ({ profile, processors, memoryBytes, quantum, schedule, plugins }: MachineDefinition) => ({
    profile: profile.name,
    processors: String(processors),
    memory: `${memoryBytes} bytes`,
    quantum: String(quantum),
    schedule: schedule === undefined ? 'round robin' : `random, seed ${schedule.random}`,
    plugins: plugins.map(({ name, version }) => `${name} ${version}`).join(', '),
  });
  const [left, right] = [facts(one), facts(other)];
  const names = Object.keys(left) as (keyof typeof left)[];
  return names
    .filter((name) => left[name] !== right[name])
    .map((name) => ({ name, values: [left[name], right[name]] as const }));
}

/** Positions that two logs begin with alike. */
function commonEvents(one: TraceInput, other: TraceInput): number {
  const [left, right] = [one.timeline.log.entries(), other.timeline.log.entries()];
  for (let index = 0; ; index++) {
    const [a, b] = [left[index], right[index]];
    if (a === undefined || b === undefined) return Math.min(one.timeline.length, other.timeline.length);
    if (!sameEvent(a, b)) return a.position + sharedSteps(a, b);
  }
}

function sameEvent({ event: a }: LogEntry, { event: b }: LogEntry): boolean {
  return textOf(a) === textOf(b);
}

/** Two runs of one processor that differ in length are alike as far as the shorter one goes. */
function sharedSteps({ event: a }: LogEntry, { event: b }: LogEntry): number {
  const bothRun = isStepsRetired(a) && isStepsRetired(b) && a.processor === b.processor;
  return bothRun ? Math.min(positionsOf(a), positionsOf(b)) : 0;
}

/** From a position on, step by step. */
function firstDifference(one: TraceInput, other: TraceInput, from: number, output: Output): number | undefined {
  const [end, last] = [
    Math.min(one.timeline.length, other.timeline.length),
    Math.max(one.timeline.length, other.timeline.length),
  ];
  const progress = output.progress('comparing', end - from);
  const steps = other.timeline.steps(from, end);
  for (const step of one.timeline.steps(from, end)) {
    const { value } = steps.next();
    if (textOf(comparable(step)) !== textOf(comparable(value))) return step.position;
    progress.update(step.position - from);
  }
  progress.hide();
  return end === last ? undefined : end;
}

function comparable(step: Step | undefined): unknown {
  return step === undefined ? undefined : [step.processor, step.event, step.address, step.bytes, step.outcome];
}

/** Plain data as text that is equal if the data is. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => (typeof member === 'bigint' ? `${member}n` : member)) ?? '';
}
