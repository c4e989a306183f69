// Steps as lines: position, processor, what was done, what came of it. Written as they come, so that a list of any length
// needs no memory; the columns have fixed widths for that reason.
import { isFailure, type Outcome, type Step } from '@retrovisor/core';
import type { Colours } from './colour.js';
import { hex } from './hexadecimal.js';
import { markedOutcome, outcomeText, ruleOf } from './outcome.js';

/** A step as `events --json`, `why --json` and `who --json` write it. */
export interface StepDocument {
  readonly position: number;
  readonly processor: number | null;
  /** The event's type: `processor/stepsRetired` for a fetched instruction. */
  readonly type: string;
  /** RIP of a fetched instruction. */
  readonly address: bigint | null;
  readonly bytes: Uint8Array | null;
  readonly text: string;
  readonly outcome: Outcome;
  readonly failed: boolean;
}

/** The step for JSON. */
export function stepDocument({ position, processor, event, address, bytes, text, outcome }: Step): StepDocument {
  return {
    position,
    processor: processor ?? null,
    type: event.type,
    address: address ?? null,
    bytes: bytes ?? null,
    text,
    outcome,
    failed: isFailure(outcome),
  };
}

const HEADINGS = ['position', 'cpu', 'address', 'what', 'outcome'] as const;
const TEXT_WIDTH = 40;
/** Addresses with four leading digits more are those of a kernel: the column grows for its line. */
const ADDRESS_WIDTH = 12;

/** Lines of steps whose positions lie below a limit. */
export class StepList {
  readonly #positionWidth: number;
  readonly #colours: Colours;

  constructor(highestPosition: number, colours: Colours) {
    this.#positionWidth = Math.max(HEADINGS[0].length, String(highestPosition).length);
    this.#colours = colours;
  }

  /** The line of headings. */
  headings(): string {
    const [position, cpu, address, what, outcome] = HEADINGS;
    return this.#colours.dim(this.#line(position, cpu, address, what, outcome));
  }

  /** One step. */
  step({ position, processor, address, text, outcome }: Step): string {
    return this.#line(
      String(position),
      processor === undefined ? '' : String(processor),
      address === undefined ? '' : hex(address),
      text,
      markedOutcome(outcome, this.#colours),
    );
  }

  #line(position: string, cpu: string, address: string, what: string, outcome: string): string {
    const head = `${position.padStart(this.#positionWidth)}  ${cpu.padStart(HEADINGS[1].length)}  ${address.padEnd(ADDRESS_WIDTH)}`;
    return `${head}  ${what.padEnd(TEXT_WIDTH)}  ${outcome}`.trimEnd();
  }
}

/** A step in a sentence: `position 7, processor 0: vmxon(0x200000) → #UD (vmx.vmxon.cr4-vmxe)`. */
export function stepSentence({ position, processor, address, text, outcome }: Step): string {
  const where = [
    `position ${position}`,
    ...(processor === undefined ? [] : [`processor ${processor}`]),
    ...(address === undefined ? [] : [hex(address)]),
  ];
  const [result, rule] = [outcomeText(outcome), ruleOf(outcome)];
  const arrow = result === '' || result.startsWith('=') ? '' : '→ ';
  return [`${where.join(', ')}: ${text}`, `${arrow}${result}`, rule === undefined ? '' : `(${rule})`]
    .filter((part) => part !== '')
    .join(' ');
}
