// Files of instruction vectors in a folder: `alu.jsonl.gz` is the family alu.
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type InstructionVector, parseVector } from '@retrovisor/core';
import { readInput } from '../guest/input-file.js';
import { InputError, reasonOf, UsageError } from '../input-error.js';

const EXTENSION = '.jsonl.gz';
/** A compressed file that grows beyond this is none of vectors. */
const MOST_BYTES = 2 ** 30;

/** One file. */
export interface VectorFamily {
  readonly name: string;
  readonly path: string;
}

/** A vector and its line, from 1 on. */
export interface NumberedVector {
  readonly line: number;
  readonly vector: InstructionVector;
}

/**
 * The families of a folder by name, all of them or those that are wanted.
 * @throws InputError FILE_NOT_READABLE or NO_VECTORS, UsageError UNKNOWN_FAMILY
 */
export function findFamilies(folder: string, wanted: readonly string[]): readonly VectorFamily[] {
  const names = filesOf(folder)
    .filter((file) => file.endsWith(EXTENSION))
    .map((file) => basename(file, EXTENSION))
    .toSorted();
  if (names.length === 0)
    throw new InputError(
      'NO_VECTORS',
      { folder },
      `${folder} holds no vectors: files named *${EXTENSION} are expected`,
    );
  const unknown = wanted.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const message = `there is no family ${unknown} in ${folder}: ${names.join(', ')} are accepted`;
    throw new UsageError('UNKNOWN_FAMILY', { family: unknown, accepted: names }, message);
  }
  const chosen = wanted.length === 0 ? names : names.filter((name) => wanted.includes(name));
  return chosen.map((name) => ({ name, path: join(folder, `${name}${EXTENSION}`) }));
}

function filesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw new InputError('FILE_NOT_READABLE', { path: folder }, `${folder} cannot be read: ${reasonOf(error)}`);
  }
}

/** The lines of a family; nothing is understood yet. @throws InputError for a file that is damaged */
export function linesOf({ path }: VectorFamily): readonly string[] {
  const text = decompressed(path).toString('utf8').trimEnd();
  return text === '' ? [] : text.split('\n');
}

function decompressed(path: string): Buffer {
  const bytes = readInput(path);
  try {
    return gunzipSync(bytes, { maxOutputLength: MOST_BYTES });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError('NOT_GZIP', { path, reason }, `${path} cannot be decompressed: ${reason}`);
  }
}

/** The vectors of lines, one by one. @throws VectorFormatError with file and line */
export function* vectorsOf({ path }: VectorFamily, lines: readonly string[]): IterableIterator<NumberedVector> {
  for (const [index, text] of lines.entries()) {
    const line = index + 1;
    yield { line, vector: parseVector(text, { file: path, line }) };
  }
}
