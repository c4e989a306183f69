// `npm run docs`: writes the parts of docs/ that follow from the code between their markers,
// `<!-- generated: NAME -->` and `<!-- end of generated -->`. A test finds parts that are out of date.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/source-tree.js';
import { generatedDocuments } from './generated-documents.js';

for (const { path, found, expected } of generatedDocuments()) {
  if (found !== expected) writeFileSync(join(ROOT, path), expected);
  process.stdout.write(`${found === expected ? 'up to date' : 'written'}: ${path}\n`);
}
