// The recorded vectors of this folder, and what a path leaves otherwise than the processor did.
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type InstructionVector, parseVector, type VectorDifference, VectorRunner } from '@retrovisor/core';

const FOLDER = new URL('vectors/', import.meta.url);

export const VECTOR_FILES: readonly string[] = readdirSync(FOLDER).filter((name) => name.endsWith('.jsonl.gz'));

interface FailedVector {
  readonly id: string;
  readonly code: string;
  readonly differences: readonly VectorDifference[];
}

/** What came of the vectors of a file. */
export interface VectorResults {
  readonly vectors: number;
  readonly failures: readonly FailedVector[];
  /** Those that raise nothing, and those of them that were not executed in generated code. */
  readonly completed: number;
  readonly notGenerated: readonly InstructionVector[];
}

/** Runs the vectors of a file on one path. */
export function runVectors(file: string, compile: number | false): VectorResults {
  const lines = gunzipSync(readFileSync(new URL(file, FOLDER)))
    .toString()
    .trimEnd()
    .split('\n');
  const runner = new VectorRunner({ compile });
  const failures: FailedVector[] = [];
  const notGenerated: InstructionVector[] = [];
  let completed = 0;
  for (const [index, line] of lines.entries()) {
    const vector = parseVector(line, { file, line: index + 1 });
    const before = runner.compiledSteps;
    const differences = runner.run(vector);
    if (differences.length > 0) failures.push({ id: vector.id, code: vector.code, differences });
    if (vector.exc !== undefined) continue;
    completed++;
    if (runner.compiledSteps === before) notGenerated.push(vector);
  }
  return { vectors: lines.length, failures, completed, notGenerated };
}
