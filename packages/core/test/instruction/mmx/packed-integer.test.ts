// Every recorded instruction on MMX registers must leave what the processor left (see ../../x87/README.md).
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type Vector, VectorProcessor } from '../../x87/vector-processor.js';

const file = new URL('../../x87/mmx.jsonl.gz', import.meta.url);
const vectors = gunzipSync(readFileSync(file))
  .toString('utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Vector);

describe('recorded instructions on MMX registers', () => {
  it('leave what the processor left', () => {
    const processor = new VectorProcessor();
    const failures = vectors.flatMap((vector) => {
      const differences = processor.run(vector);
      return differences.length === 0 ? [] : [`${JSON.stringify(vector)}: ${differences.join('; ')}`];
    });
    expect({ executed: vectors.length, failed: failures.length, examples: failures.slice(0, 3) }).toEqual({
      executed: 1120,
      failed: 0,
      examples: [],
    });
  });
});
