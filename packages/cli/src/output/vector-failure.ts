// A vector that failed, as people and programs read it: its code in assembly, and each place that came out otherwise.
import { disassemble, type InstructionVector, type VectorDifference } from '@retrovisor/core';
import type { Colours } from './colour.js';
import { hex, valueText } from './hexadecimal.js';
import { setBits } from './register-table.js';
import { indented, table } from './table.js';

/** A failed vector and where it stands. */
export interface VectorFailure {
  readonly family: string;
  readonly line: number;
  readonly vector: InstructionVector;
  readonly differences: readonly VectorDifference[];
}

const START = 0x2000_0800n;
/** Instructions of a program that are shown; the rest is in the file. */
const SHOWN_INSTRUCTIONS = 6;

/** The failure for JSON. */
export function failureRow({ family, line, vector, differences }: VectorFailure): unknown {
  const { id, code } = vector;
  return { family, line, id, code, disassembly: instructionsOf(vector), differences };
}

/** The failure for people. */
export function failureParagraph({ family, line, vector, differences }: VectorFailure, colours: Colours): string {
  const instructions = instructionsOf(vector);
  const shown = instructions.slice(0, SHOWN_INSTRUCTIONS).join('; ');
  const rest = instructions.length > SHOWN_INSTRUCTIONS ? ` … (${instructions.length} instructions)` : '';
  const rows = differences.map(({ place, found, expected }) => [
    place,
    colours.red(sideText(place, found, expected)),
    colours.green(sideText(place, expected, found)),
  ]);
  return [
    `${colours.bold(`${family}, line ${line}: ${vector.id}`)}`,
    indented(`${shown}${rest}  ${colours.dim(shortened(vector.code))}`),
    indented(table(['', 'found', 'expected'], rows, colours)),
  ].join('\n');
}

const shortened = (code: string): string => (code.length <= 30 ? code : `${code.slice(0, 30)}…`);

function instructionsOf({ code }: InstructionVector): readonly string[] {
  const bytes = Buffer.from(code, 'hex');
  const texts: string[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const { text, length } = disassemble(bytes.subarray(offset), 64, START + BigInt(offset));
    texts.push(text);
    offset += length;
  }
  return texts;
}

type Value = VectorDifference['found'];

/** A value; of flags the names of those that the other side has otherwise. */
function sideText(place: string, value: Value, other: Value): string {
  if (place !== 'RFLAGS' || typeof value !== 'bigint' || typeof other !== 'bigint') return valueText(value);
  const differing = setBits(place, value ^ other, { plugins: [] });
  const set = setBits(place, value, { plugins: [] });
  return `${hex(value)} ${differing.map((bit) => `${bit}=${set.includes(bit) ? 1 : 0}`).join(' ')}`;
}
