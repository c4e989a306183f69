// Documents with parts that are made from the code, as they are and as they should be.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/source-tree.js';
import { commandParts } from './command-parts.js';
import { compiledParts } from './compiled-parts.js';
import { conformanceParts } from './conformance-parts.js';
import { sourceParts } from './source-parts.js';

/** Markdown by the name of the part. */
export type Parts = Readonly<Record<string, string>>;

export interface GeneratedDocument {
  /** From the root of the workspace. */
  readonly path: string;
  readonly found: string;
  readonly expected: string;
}

const PARTS = /(<!-- generated: (\S+) -->\n)[\s\S]*?(<!-- end of generated -->)/g;

const DOCUMENTS: Readonly<Record<string, () => Parts>> = {
  'docs/command-line.md': commandParts,
  'docs/compiled-path.md': compiledParts,
  'docs/conformance.md': conformanceParts,
  'docs/reading-guide.md': sourceParts,
};

/** Every document with generated parts. */
export function generatedDocuments(): readonly GeneratedDocument[] {
  return Object.entries(DOCUMENTS).map(([path, makeParts]) => {
    const found = readFileSync(join(ROOT, path), 'utf8');
    const parts = makeParts();
    const expected = found.replace(
      PARTS,
      (_whole, start: string, name: string, end: string) => `${start}\n${partOf(parts, name)}\n\n${end}`,
    );
    return { path, found, expected };
  });
}

function partOf(parts: Parts, name: string): string {
  const part = parts[name];
  if (part === undefined) throw new Error(`there is no part ${name}; there are ${Object.keys(parts).join(', ')}`);
  return part;
}
