// Why a step failed: every rule it violated, not just the first, with the values that the rules read and the step that
// last wrote each of them.

import { isStepsRetired } from '../event/event.js';
import type { Faulted, Outcome } from '../event/outcome.js';
import type { Decoded } from '../execute/decode.js';
import { InstructionStream } from '../execute/decode.js';
import { intrinsicOperands } from '../execute/intrinsic-operands.js';
import { operandsOf } from '../execute/operands.js';
import type { Execution, FunctionInstruction } from '../instruction/define.js';
import { explanationOf } from '../interrupt/fault-explanations.js';
import type { Citation } from '../manual/citation.js';
import type { MachineDefinition } from '../plugin/host.js';
import type { HazardReport } from '../rule/hazard.js';
import { allViolations, type Rule, type RuleTable } from '../rule/rule.js';
import type { Cpu } from '../state/cpu.js';
import { DraftHost } from '../state/draft-host.js';
import { freezeDeeply } from '../state/freeze.js';
import type { MachineState } from '../state/machine.js';
import { bytesAt, type Step } from './step.js';

/** A place that a rule read. */
export interface ReadField {
  readonly location: string;
  /** Before the step; undefined where the place did not exist. */
  readonly value: unknown;
  /** The step to blame; undefined if the value stands since the initial state. */
  readonly writer: Step | undefined;
}

/** One violated rule. */
export interface ExplainedViolation {
  readonly rule: string;
  readonly manual: Citation | undefined;
  readonly explain: string;
  readonly note: string | undefined;
  /** It was the first in the manual's order and decided the outcome. */
  readonly decided: boolean;
  readonly fields: readonly ReadField[];
}

/** The answer of `why`. */
export interface Explanation {
  readonly step: Step;
  readonly outcome: Outcome;
  /** From the first exception to the last, if the processor shut down. */
  readonly chain: readonly Faulted[];
  readonly violations: readonly ExplainedViolation[];
  readonly hazards: readonly HazardReport[];
}

/** What an explanation asks of a timeline. */
export interface ExplainedTimeline {
  readonly definition: MachineDefinition;
  seek(position: number): MachineState;
  stepAt(position: number): Step;
  lastFailure(): Step | undefined;
  lastWrite(location: string, before: number): Step | undefined;
  read(location: string, position: number): unknown;
}

/** Explains the step at a position, or the last failure; undefined if nothing failed. */
export function explain(timeline: ExplainedTimeline, position?: number): Explanation | undefined {
  const step = position === undefined ? timeline.lastFailure() : timeline.stepAt(position);
  if (step === undefined) return undefined;
  const { outcome } = step;
  const decidedBy = 'rule' in outcome ? (outcome.rule as string | undefined) : undefined;
  return freezeDeeply({
    step,
    outcome,
    chain: outcome.kind === 'shutdown' ? (outcome as { chain: readonly Faulted[] }).chain : [],
    violations: violationsOf(timeline, step, decidedBy),
    hazards: 'hazards' in outcome ? ((outcome.hazards as readonly HazardReport[] | undefined) ?? []) : [],
  });
}

function violationsOf(
  timeline: ExplainedTimeline,
  step: Step,
  decidedBy: string | undefined,
): readonly ExplainedViolation[] {
  const known = new Map<string, ReadField>(); // many rules read one place, and finding its writer replays
  const read = (location: string): ReadField => {
    const field = known.get(location) ?? readField(timeline, location, step.position);
    known.set(location, field);
    return field;
  };
  const explained = checksViolated(timeline, step).map(
    ({ rule, fields }): ExplainedViolation => ({
      rule: rule.id,
      manual: rule.manual,
      explain: rule.explain,
      note: rule.note,
      decided: rule.id === decidedBy,
      fields: fields.map(read),
    }),
  );
  if (decidedBy === undefined || explained.some(({ decided }) => decided)) return explained;
  return [...explained, coreViolation(timeline, step, decidedBy)];
}

/** A rule of address translation, decoding or delivery: it belongs to no single instruction. */
function coreViolation(timeline: ExplainedTimeline, step: Step, rule: string): ExplainedViolation {
  const row = explanationOf(rule, timeline.definition.plugins);
  const fields = (row?.fields ?? []).map((field) =>
    readField(timeline, `processor/${step.processor ?? 0}/${field}`, step.position),
  );
  return {
    rule,
    manual: row?.manual,
    explain: row?.explain ?? 'the instruction raises this exception by its definition',
    note: undefined,
    decided: true,
    fields,
  };
}

function readField(timeline: ExplainedTimeline, location: string, position: number): ReadField {
  return { location, value: timeline.read(location, position), writer: timeline.lastWrite(location, position) };
}

interface FoundViolation {
  readonly rule: Rule<Execution, unknown>;
  readonly fields: readonly string[];
}

/**
 * Evaluates every check of the step's instruction on a scratch draft at the state before it, and where all of them hold
 * those that its effect makes.
 */
function checksViolated(timeline: ExplainedTimeline, step: Step): readonly FoundViolation[] {
  const { definition } = timeline;
  const host = new DraftHost(definition, timeline.seek(step.position));
  try {
    const prepared = prepare(definition, host, step);
    if (prepared === undefined) return [];
    const { instruction, execution } = prepared;
    const found = violated(instruction.checks, execution);
    return found.length > 0 ? found : violated(instruction.effectChecks, execution);
  } finally {
    host.abandon();
  }
}

function violated(checks: RuleTable<Execution, unknown>, execution: Execution): readonly FoundViolation[] {
  return allViolations(checks, execution).map(({ rule }) => ({
    rule,
    fields: rule.fields(execution).map((field) => placed(field, execution.cpu)),
  }));
}

/** Rules name registers without a processor: theirs is the one that executed. Memory and machine-wide slices have none. */
function placed(field: string, cpu: Cpu): string {
  return field.startsWith('[') || field.startsWith('processor/') || field.startsWith('slice/')
    ? field
    : `processor/${cpu.id}/${field}`;
}

interface Prepared {
  readonly instruction: FunctionInstruction;
  readonly execution: Execution;
}

function prepare(definition: MachineDefinition, host: DraftHost, { event }: Step): Prepared | undefined {
  if (event.type === 'processor/intrinsicExecuted') {
    const {
      intrinsic: name,
      operands: values,
      processor,
    } = event as { intrinsic: string; operands: readonly bigint[]; processor: number };
    const intrinsic = definition.intrinsics.get(name);
    if (intrinsic === undefined) return undefined;
    const cpu = host.draft().activate(processor);
    return {
      instruction: intrinsic.instruction,
      execution: { cpu, operands: intrinsicOperands(cpu, name, intrinsic.shape, values), operandWidth: cpu.codeWidth },
    };
  }
  if (!isStepsRetired(event)) return undefined;
  const cpu = host.draft().activate(event.processor);
  const decoded = decodeAt(cpu);
  const instruction = decoded === undefined ? undefined : definition.instructions.get(decoded.mnemonic);
  if (decoded === undefined || instruction?.form !== 'function') return undefined;
  return { instruction, execution: { cpu, operands: operandsOf(cpu, decoded), operandWidth: decoded.operandWidth } };
}

function decodeAt(cpu: Cpu): Decoded | undefined {
  const { codeWidth } = cpu;
  const address = cpu.RIP;
  const stream = new InstructionStream(
    bytesAt(cpu, codeWidth === 64 ? address : BigInt.asUintN(32, cpu.read('CS.base') + address), codeWidth),
    codeWidth,
    address,
  );
  try {
    const decoded = stream.next();
    return typeof decoded === 'string' ? undefined : decoded;
  } finally {
    stream.end();
  }
}
