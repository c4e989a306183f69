// What is known of a guest that crashed, without a recording: registers, the instructions that led there and those that
// would have followed, the chain of exceptions with the rule that raised each, and the top of the stack.
import {
  type CodeLine,
  codeAt,
  explainRule,
  type Faulted,
  type Machine,
  type MachineState,
  type StackWord,
  type Step,
  stackAt,
  Timeline,
} from '@retrovisor/core';
import type { Colours } from '../output/colour.js';
import { hex, hexDigits, valueText } from '../output/hexadecimal.js';
import { faultText } from '../output/outcome.js';
import { registerTable } from '../output/register-table.js';
import { stepDocument } from '../output/step-list.js';
import { indented, table } from '../output/table.js';

/** A crash as data. */
export interface CrashReport {
  readonly processor: number;
  readonly machine: Machine;
  /** The last steps, the one that failed at the end. */
  readonly history: readonly Step[];
  /** From RIP on. */
  readonly code: readonly CodeLine[];
  readonly stack: readonly StackWord[];
  /** From the first exception to the one that could not be delivered; empty if nothing was raised. */
  readonly chain: readonly Faulted[];
}

const STEPS_BEFORE = 8;
const INSTRUCTIONS_AFTER = 6;
const STACK_WORDS = 8;
const WORDS_A_LINE = 4;

/** Collects the report. `checkpoint` is a state before the end, from which the last steps are replayed. */
export function crashReport(
  machine: Machine,
  processor: number,
  checkpoint: MachineState | undefined,
  chain: readonly Faulted[] = [],
): CrashReport {
  const { definition, state, log, position } = machine;
  const timeline = checkpoint === undefined ? machine.timeline() : new Timeline(definition, log, checkpoint);
  const from = Math.max(checkpoint?.position ?? 0, position - STEPS_BEFORE);
  const here = { definition, state, processor };
  return {
    processor,
    machine,
    history: [...timeline.steps(from, position)],
    code: codeAt(here, INSTRUCTIONS_AFTER),
    stack: stackAt(here, STACK_WORDS),
    chain,
  };
}

/** The report for JSON. */
export function crashDocument({ processor, machine, history, code, stack, chain }: CrashReport): unknown {
  return {
    processor,
    registers: machine.state.processors[processor],
    history: history.map(stepDocument),
    code,
    stack,
    chain: chain.map((fault) => ({
      ...fault,
      explain: fault.rule === undefined ? null : (explainRule(machine.definition, fault.rule)?.explain ?? null),
    })),
  };
}

/** The report for a person. */
export function crashText(report: CrashReport, colours: Colours): string {
  const { machine, processor, history, code, stack, chain } = report;
  const state = machine.state.processors[processor];
  const parts = [
    ...(state === undefined ? [] : [registerTable(machine.definition, state, undefined, colours)]),
    ...(history.length === 0 ? [] : [section('executed last', historyTable(history, colours), colours)]),
    section('code at RIP', codeTable(code, colours), colours),
    section('stack', stackTable(stack, colours), colours),
    ...(chain.length === 0 ? [] : [section('exceptions', chainTable(report, colours), colours)]),
  ];
  return `${parts.join('\n\n')}\n`;
}

function section(title: string, text: string, colours: Colours): string {
  return `${colours.bold(title)}\n${indented(text)}`;
}

function historyTable(history: readonly Step[], colours: Colours): string {
  const rows = history.map(({ position, processor, address, text }) => [
    position,
    processor === undefined ? '' : `cpu ${processor}`,
    address === undefined ? '' : hex(address),
    text,
  ]);
  return table([], rows, colours);
}

function codeTable(code: readonly CodeLine[], colours: Colours): string {
  if (code.length === 0) return colours.red('no page is mapped at RIP');
  const rows = code.map(({ address, bytes, text }, index) => [
    index === 0 ? '>' : '',
    hex(address),
    text,
    colours.dim(valueText(bytes)),
  ]);
  return table([], rows, colours);
}

function stackTable(stack: readonly StackWord[], colours: Colours): string {
  if (stack.length === 0) return colours.red('no page is mapped at RSP');
  const lines = Math.ceil(stack.length / WORDS_A_LINE);
  const rows = Array.from({ length: lines }, (_, line) => {
    const words = stack.slice(line * WORDS_A_LINE, (line + 1) * WORDS_A_LINE);
    const texts = words.map(({ value, width }) => hexDigits(value, (width * 8) as 16 | 32 | 64));
    return [colours.dim(hex(words[0]?.address ?? 0n)), ...texts];
  });
  return table([], rows, colours);
}

/** What became of an exception: the first one, what its delivery raised, and the double fault that both make. */
function chainTable({ chain, machine: { definition } }: CrashReport, colours: Colours): string {
  const rows = chain.map((fault, index) => {
    const { rule, vector } = fault;
    const how = index === 0 ? 'first' : vector === '#DF' ? 'that is' : 'while it was delivered';
    const explain = rule === undefined ? undefined : explainRule(definition, rule)?.explain;
    return [how, colours.red(faultText(fault)), colours.yellow(rule ?? ''), explain ?? ''];
  });
  return table([], [...rows, ['then', colours.red('shutdown'), '', 'No handler can be reached.']], colours);
}
