// Folders of vectors: which files are families, and what is refused.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFamilies, linesOf, vectorsOf } from '../../src/conform/vector-family.js';

const NOP = { id: 'nop', code: '90', in: { flags: '202' }, out: { flags: '202', rip: '20000801' } };
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'retrovisor-vectors-'));
  writeFileSync(join(folder, 'b.jsonl.gz'), gzipSync(`${JSON.stringify(NOP)}\n{}\n`));
  writeFileSync(join(folder, 'a.jsonl.gz'), gzipSync(''));
  writeFileSync(join(folder, 'bad.jsonl.gz'), 'no gzip');
  writeFileSync(join(folder, 'counts.json'), '{}');
});
afterAll(() => rmSync(folder, { recursive: true }));

const codeOf = (work: () => unknown): unknown => {
  try {
    work();
  } catch (thrown) {
    return (thrown as { code?: unknown }).code;
  }
  return undefined;
};

describe('a folder of vectors', () => {
  it('has a family for each file of vectors, by name', () => {
    expect(findFamilies(folder, []).map(({ name }) => name)).toEqual(['a', 'b', 'bad']);
    expect(findFamilies(folder, ['b']).map(({ name }) => name)).toEqual(['b']);
  });

  it('is refused if it holds none, or not the one that is asked for', () => {
    expect(codeOf(() => findFamilies(join(folder, 'nowhere'), []))).toBe('FILE_NOT_READABLE');
    expect(codeOf(() => findFamilies(tmpdir(), []))).toBe('NO_VECTORS');
    expect(codeOf(() => findFamilies(folder, ['c']))).toBe('UNKNOWN_FAMILY');
  });

  it('gives the vectors of a file with their lines, up to one that is none', () => {
    const [a, b, bad] = findFamilies(folder, []) as [never, never, never];
    expect(linesOf(a)).toEqual([]);
    const vectors = vectorsOf(b, linesOf(b));
    expect(vectors.next().value).toEqual({ line: 1, vector: NOP });
    expect(codeOf(() => vectors.next())).toBe('VECTOR_MEMBER');
    expect(codeOf(() => linesOf(bad))).toBe('NOT_GZIP');
  });
});
