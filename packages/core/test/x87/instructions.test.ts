// Every recorded x87 instruction must leave what the processor left (see README.md).
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type Vector, VectorProcessor } from './vector-processor.js';

const file = new URL('instructions.jsonl.gz', import.meta.url);
const vectors = gunzipSync(readFileSync(file))
  .toString('utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Vector);

/** By the first byte, which tells the groups of the opcode map apart. */
const GROUPS = ['d8', 'd9', 'da', 'db', 'dc', 'dd', 'de', 'df'];

describe('recorded x87 instructions', () => {
  it('are 9000 in the eight groups', () => {
    const missing = vectors.filter(([code]) => !GROUPS.includes(code.slice(0, 2)));
    expect([vectors.length, missing.length]).toEqual([9000, 0]);
  });

  it.each(GROUPS)('%s', (group) => {
    const processor = new VectorProcessor();
    const failures = vectors
      .filter(([code]) => code.startsWith(group))
      .flatMap((vector) => {
        const differences = processor.run(vector);
        return differences.length === 0 ? [] : [`${JSON.stringify(vector)}: ${differences.join('; ')}`];
      });
    expect({ failed: failures.length, examples: failures.slice(0, 3) }).toEqual({ failed: 0, examples: [] });
  });
});
