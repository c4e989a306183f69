import { expect, it } from 'vitest';
import { CodeCoverage } from '../../src/execute/code-coverage.js';

it('tells of each byte that was added once', () => {
  const coverage = new CodeCoverage();
  coverage.add(30, 5);
  expect(coverage.remove(0, 30)).toBe(false);
  expect(coverage.remove(35, 4061)).toBe(false);
  expect(coverage.remove(34, 1)).toBe(true);
  expect(coverage.remove(34, 1)).toBe(false);
  expect(coverage.isEmpty).toBe(false);
  expect(coverage.remove(0, 4096)).toBe(true);
  expect(coverage.isEmpty).toBe(true);
});

it('ends with the frame', () => {
  const coverage = new CodeCoverage();
  coverage.add(4090, 15);
  expect(coverage.remove(4095, 15)).toBe(true);
});
