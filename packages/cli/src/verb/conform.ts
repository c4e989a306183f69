// `retrovisor conform`: what a processor did, done again. One line a family, the first failures in full, then the sum.
import { VectorRunner } from '@retrovisor/core';
import { findFamilies, linesOf, type VectorFamily, vectorsOf } from '../conform/vector-family.js';
import { EXIT } from '../exit-status.js';
import type { Output } from '../output/output.js';
import { failureParagraph, failureRow, type VectorFailure } from '../output/vector-failure.js';
import type { VerbCode } from '../verb-table.js';

/** What became of a family. */
interface FamilyResult {
  readonly family: string;
  readonly forms: number;
  readonly vectors: number;
  readonly passed: number;
  readonly failed: number;
}

const DEFAULT_LIMIT = 10;

/** Runs the vectors of a folder. */
export const conform: VerbCode = async ([folder = ''], options, output) => {
  const families = findFamilies(folder, options.family);
  const { cpu: profile, limit = DEFAULT_LIMIT } = options;
  const runner = new VectorRunner(profile === undefined ? {} : { profile });
  const failures: VectorFailure[] = [];
  const results: FamilyResult[] = [];
  const width = Math.max(...families.map(({ name }) => name.length));
  for (const family of families) {
    const result = runFamily(family, runner, output, (failure) => {
      if (failures.length < limit) failures.push(failure);
    });
    results.push(result);
    if (!output.json) output.write(familyLine(result, width));
    await output.drained();
  }
  const sum = (member: 'passed' | 'failed') => results.reduce((total, result) => total + result[member], 0);
  const [passed, failed] = [sum('passed'), sum('failed')];
  const document = { folder, families: results, passed, failed, failures: failures.map(failureRow) };
  output.result(document, (colours) => {
    const paragraphs = failures.map((failure) => `\n${failureParagraph(failure, colours)}\n`);
    const more = failed > failures.length ? `\n… and ${failed - failures.length} more\n` : '';
    const verdict = `${passed} passed, ${failed} failed`;
    return `${paragraphs.join('')}${more}\n${failed === 0 ? colours.green(verdict) : colours.red(verdict)}`;
  });
  return failed === 0 ? EXIT.done : EXIT.failed;
};

function runFamily(
  family: VectorFamily,
  runner: VectorRunner,
  output: Output,
  failedWith: (failure: VectorFailure) => void,
): FamilyResult {
  const lines = linesOf(family);
  const forms = new Set<string>();
  const progress = output.progress(family.name, lines.length);
  let passed = 0;
  for (const { line, vector } of vectorsOf(family, lines)) {
    const differences = runner.run(vector);
    forms.add(vector.id);
    if (differences.length === 0) passed++;
    else failedWith({ family: family.name, line, vector, differences });
    progress.update(line);
  }
  progress.hide();
  return { family: family.name, forms: forms.size, vectors: lines.length, passed, failed: lines.length - passed };
}

function familyLine({ family, forms, vectors, passed, failed }: FamilyResult, width: number): string {
  const counts = [`${forms} forms`.padStart(10), `${vectors} vectors`.padStart(14), `${passed} passed`.padStart(13)];
  return `${family.padEnd(width)} ${counts.join(' ')}${failed === 0 ? '' : `  ${failed} failed`}\n`;
}
