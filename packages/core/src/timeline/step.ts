// Materialising: the single steps inside the log's entries, got back by replaying.
import { applyTo } from '../event/apply.js';
import { isStepsRetired, type MachineEvent } from '../event/event.js';
import type { Outcome } from '../event/outcome.js';
import { type CodeWidth, InstructionStream, LONGEST_INSTRUCTION } from '../execute/decode.js';
import { disassemble } from '../execute/disassemble.js';
import { GuestFault } from '../interrupt/exceptions.js';
import type { EventLog, LogEntry } from '../machine/log.js';
import type { MachineDefinition } from '../plugin/host.js';
import type { Cpu } from '../state/cpu.js';
import type { MachineDraft } from '../state/draft.js';
import { DraftHost } from '../state/draft-host.js';
import type { MachineState } from '../state/machine.js';
import { FRAME_BYTES } from '../state/workbench.js';

/** One position of a log, with what happened there. */
export interface Step {
  /** Events applied before it. */
  readonly position: number;
  /** A run of steps is cut to one. */
  readonly event: MachineEvent;
  readonly processor: number | undefined;
  /** RIP and bytes of a fetched instruction. */
  readonly address?: bigint;
  readonly bytes?: Uint8Array;
  /** Disassembly, the call of an intrinsic, or the event in words. */
  readonly text: string;
  readonly outcome: Outcome;
}

/** What somebody wants to see of each step. */
export interface StepObserver {
  before?(draft: MachineDraft, position: number): void;
  /** `retired`: a fetched instruction did its normal work. */
  after?(draft: MachineDraft, position: number, outcome: Outcome, retired: boolean): void;
}

/** Replays a log from a state up to a position, one step at a time. */
export function* walkSteps(
  definition: MachineDefinition,
  log: EventLog,
  from: MachineState,
  to: number,
): IterableIterator<Step> {
  const host = new DraftHost(definition, from);
  try {
    for (const { position, event } of singleSteps(log, from.position, to))
      yield takeStep(host.draft(), event, position);
  } finally {
    host.abandon();
  }
}

/** The same for an observer alone: what a step looks like is never made. */
export function observeSteps(
  definition: MachineDefinition,
  log: EventLog,
  from: MachineState,
  to: number,
  observer: StepObserver,
): void {
  const host = new DraftHost(definition, from);
  try {
    const draft = host.draft();
    for (const { position, event } of singleSteps(log, from.position, to)) {
      observer.before?.(draft, position);
      const outcome = applyTo(draft, event);
      draft.takeEmissions();
      observer.after?.(draft, position, outcome, isStepsRetired(event) && outcome.kind === 'completed');
    }
  } finally {
    host.abandon();
  }
}

/** The entries of a log with every run cut into steps of its own. */
export function* singleSteps(log: EventLog, from: number, to: number): IterableIterator<LogEntry> {
  for (const { position, event } of log.slice(from, to)) {
    if (!isStepsRetired(event)) yield { position, event };
    else {
      const single = Object.freeze({ ...event, steps: 1 });
      for (let done = 0; done < event.steps; done++) yield { position: position + done, event: single };
    }
  }
}

/** Applies an event of one position, and tells what it looked like. */
export function takeStep(draft: MachineDraft, event: MachineEvent, position: number): Step {
  const fetched = isStepsRetired(event) ? fetch(draft.activate(event.processor)) : undefined;
  const outcome = applyTo(draft, event);
  draft.takeEmissions();
  const processor = 'processor' in event ? (event.processor as number) : undefined;
  return Object.freeze({ position, event, processor, ...(fetched ?? { text: describeEvent(event) }), outcome });
}

/** The instruction at RIP; what cannot be fetched is told by the outcome. */
function fetch(cpu: Cpu): { address: bigint; bytes: Uint8Array; text: string } {
  const address = cpu.RIP;
  const { codeWidth } = cpu;
  const linear = codeWidth === 64 ? address : BigInt.asUintN(32, cpu.read('CS.base') + address);
  const bytes = bytesAt(cpu, linear, codeWidth);
  if (bytes.length === 0) return { address, bytes, text: '(no code here)' };
  const { text, length } = disassemble(bytes, codeWidth, address);
  return { address, bytes: bytes.slice(0, length), text };
}

/**
 * Up to 15 bytes of code at a linear address, as far as it can be fetched. Sets accessed flags, as the fetch itself will:
 * those of the next page only if the instruction goes on there.
 */
export function bytesAt(cpu: Cpu, linear: bigint, codeWidth: CodeWidth): Uint8Array {
  const collected: number[] = [];
  try {
    while (collected.length < LONGEST_INSTRUCTION) {
      const at = linear + BigInt(collected.length);
      const offset = cpu.draft.tlb.fetchOffset(Number(BigInt.asIntN(32, at)), Number(BigInt.asIntN(32, at >> 32n)));
      if (offset < 0) break;
      const take = Math.min(LONGEST_INSTRUCTION - collected.length, FRAME_BYTES - (offset % FRAME_BYTES));
      collected.push(...cpu.draft.bench.bytes.subarray(offset, offset + take));
      if (!isCut(collected, codeWidth)) break;
    }
  } catch (thrown) {
    if (!(thrown instanceof GuestFault)) throw thrown;
  }
  return Uint8Array.from(collected);
}

function isCut(bytes: readonly number[], codeWidth: CodeWidth): boolean {
  const stream = new InstructionStream(Uint8Array.from(bytes), codeWidth, 0n);
  try {
    return stream.next() === 'needsMoreBytes';
  } finally {
    stream.end();
  }
}

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

/** An event as one line of text. */
export function describeEvent(event: MachineEvent): string {
  const facts = event as Readonly<Record<string, unknown>>;
  switch (event.type) {
    case 'processor/intrinsicExecuted':
      return `${String(facts['intrinsic'])}(${(facts['operands'] as readonly bigint[]).map(hex).join(', ')})`;
    case 'processor/registerSet':
      return `set ${String(facts['register'])} = ${hex(facts['value'] as bigint)}`;
    case 'memory/written':
      return `write ${(facts['bytes'] as Uint8Array).length} bytes at ${hex(facts['address'] as number)}`;
    case 'processor/stepsRetired':
      return `${String(facts['steps'])} steps`;
    default:
      return event.type;
  }
}
