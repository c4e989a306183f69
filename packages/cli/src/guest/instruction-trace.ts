// `--trace-instructions FILE`: a line for each step, written while the guest runs. The steps come from replaying what just
// ran, so that the run itself is the same with and without. One state is kept, and no step.
import { closeSync, writeSync } from 'node:fs';
import { type ChangedStep, isFailure, type Machine, type MachineState, stepsWithChanges } from '@retrovisor/core';
import { hex, valueText } from '../output/hexadecimal.js';
import { outcomeText, ruleOf } from '../output/outcome.js';
import { openForWriting } from './console.js';

const STDERR = '-';
const STDERR_FILE = 2;
/** Characters that are written at once. */
const PIECE = 2 ** 16;
const BYTES_WIDTH = 30;
const TEXT_WIDTH = 36;
const POSITION_WIDTH = 9;

/** The trace of a machine from where it stands when this is made. */
export class InstructionTrace {
  readonly #machine: Machine;
  readonly #file: number;
  #state: MachineState;
  #text = '';

  /** `-` is stderr. @throws InputError FILE_NOT_WRITABLE */
  constructor(machine: Machine, path: string) {
    this.#machine = machine;
    this.#file = path === STDERR ? STDERR_FILE : openForWriting(path);
    this.#state = machine.state;
  }

  /** Writes what happened since the last call. */
  follow(): void {
    const { definition, log, position } = this.#machine;
    for (const step of stepsWithChanges(definition, log, this.#state, position)) {
      this.#text += `${traceLine(step)}\n`;
      if (this.#text.length >= PIECE) this.#write();
    }
    this.#write();
    this.#state = this.#machine.state;
  }

  /** Writes the rest and lets go of the file. */
  close(): void {
    this.follow();
    if (this.#file !== STDERR_FILE) closeSync(this.#file);
  }

  #write(): void {
    let bytes = Buffer.from(this.#text);
    this.#text = '';
    while (bytes.length > 0) bytes = bytes.subarray(writeSync(this.#file, bytes));
  }
}

/** Position, processor, RIP, bytes, instruction, changed registers, and what came of it if that is not simply done. */
function traceLine({ step, changes }: ChangedStep): string {
  const { position, processor, address, bytes, text, outcome } = step;
  const head = `${String(position).padStart(POSITION_WIDTH)} ${processor ?? '-'}`;
  const where = address === undefined ? '-' : hex(address);
  const code = bytes === undefined ? '' : Buffer.from(bytes).toString('hex');
  const registers = changes.map(({ register, value }) => `${register}=${valueText(value)}`).join(' ');
  const rule = ruleOf(outcome);
  const result = outcome.kind === 'completed' && !isFailure(outcome) ? '' : `→ ${outcomeText(outcome) || outcome.kind}`;
  const columns = `${head} ${where.padEnd(10)} ${code.padEnd(BYTES_WIDTH)} ${text.padEnd(TEXT_WIDTH)}`;
  return [columns, registers, result, rule === undefined ? '' : `(${rule})`]
    .filter((part) => part !== '')
    .join(' ')
    .trimEnd();
}
