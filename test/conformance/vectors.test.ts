// Every recorded vector must leave what the processor left: `retrovisor conform test/conformance/vectors` runs the same.
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { parseVector, VectorRunner } from '@retrovisor/core';
import { expect, it } from 'vitest';

const FOLDER = new URL('vectors/', import.meta.url);
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.jsonl.gz'));

it.each(files)('%s', (file) => {
  const lines = gunzipSync(readFileSync(new URL(file, FOLDER)))
    .toString()
    .trimEnd()
    .split('\n');
  const runner = new VectorRunner();
  const failures = lines.flatMap((line, index) => {
    const vector = parseVector(line, { file, line: index + 1 });
    const differences = runner.run(vector);
    return differences.length === 0 ? [] : [{ id: vector.id, code: vector.code, differences }];
  });
  expect({ failed: failures.length, first: failures.slice(0, 5) }).toEqual({ failed: 0, first: [] });
  expect(lines.length).toBeGreaterThan(100);
});
