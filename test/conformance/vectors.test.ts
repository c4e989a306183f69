// Every recorded vector must leave what the processor left: `retrovisor conform test/conformance/vectors` runs the same.
import { expect, it } from 'vitest';
import { runVectors, VECTOR_FILES } from './recorded-vectors.js';

it.each(VECTOR_FILES)('%s', (file) => {
  const { vectors, failures } = runVectors(file, false);
  expect({ failed: failures.length, first: failures.slice(0, 5) }).toEqual({ failed: 0, first: [] });
  expect(vectors).toBeGreaterThan(100);
});
