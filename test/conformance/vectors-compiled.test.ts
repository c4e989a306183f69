// Every recorded vector once more, each compiled at its first execution. Which of them generated code executes is asserted:
// all that complete, but for the instructions in the function form, which are no part of a region.
import { expect, it } from 'vitest';
import { runVectors, VECTOR_FILES } from './recorded-vectors.js';

/** Instructions in the function form, by the beginning of the vector's id. */
const FUNCTION_FORM = /^(pdep|pext|crc32|pause|ldmxcsr|stmxcsr|popf|pushf|enter)( |$)/;

it.each(VECTOR_FILES)('%s', { timeout: 900_000 }, (file) => {
  const { failures, completed, notGenerated } = runVectors(file, 0);
  expect({ failed: failures.length, first: failures.slice(0, 5) }).toEqual({ failed: 0, first: [] });
  const unexpected = notGenerated.map(({ id }) => id).filter((id) => !FUNCTION_FORM.test(id));
  expect(unexpected.slice(0, 5)).toEqual([]);
  expect(notGenerated.length).toBeLessThan(completed / 2);
});
