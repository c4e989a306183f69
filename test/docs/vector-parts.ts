// The table of recorded vectors in docs/conformance.md, counted in the files.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { InstructionVector } from '@retrovisor/core';
import { ROOT } from '../support/source-tree.js';
import { code, table } from './markdown.js';

const FOLDER = join(ROOT, 'test/conformance/vectors');
const EXTENSION = '.jsonl.gz';

/** A row a family, and the sum. */
export function vectorsPart(): string {
  const rows = readdirSync(FOLDER)
    .filter((name) => name.endsWith(EXTENSION))
    .toSorted()
    .map(familyRow);
  const sum = [1, 2, 3].map((column) => rows.reduce((total, row) => total + Number(row[column]), 0));
  return table(['Family', 'Forms', 'Vectors', 'Of them raise an exception'], [...rows, ['all', ...sum]]);
}

function familyRow(file: string): readonly [string, number, number, number] {
  const lines = gunzipSync(readFileSync(join(FOLDER, file)))
    .toString()
    .trimEnd()
    .split('\n');
  const vectors = lines.map((line) => JSON.parse(line) as InstructionVector);
  const forms = new Set(vectors.map(({ id }) => id));
  return [
    code(basename(file, EXTENSION)),
    forms.size,
    vectors.length,
    vectors.filter(({ exc }) => exc !== undefined).length,
  ];
}
