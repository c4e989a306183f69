// The listings of docs/compiled-path.md: what the command prints for the block that the page explains, section by section.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../support/source-tree.js';
import type { Parts } from './generated-documents.js';

const WORDS = ['run', 'examples/sum/sum.elf', '--mode', 'long', '--show-compiled', 'sum'];
const SECTIONS = ['instructions', 'function', 'positions'];

/** The parts of the page. */
export function compiledParts(): Parts {
  const main = join(ROOT, 'packages/cli/src/main.ts');
  const args = ['--import', 'tsx', '--conditions=@retrovisor/source', main, ...WORDS];
  const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '' };
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8', env });
  if (status !== 0) throw new Error(`retrovisor ${WORDS.join(' ')} ended with ${status}:\n${stderr}`);
  const [heading = '', ...sections] = stdout.trimEnd().split(/^(?:instructions|function|positions)\n/m);
  const texts = [heading, ...sections.map((section) => section.replaceAll(/^ {2}/gm, ''))];
  return Object.fromEntries(['heading', ...SECTIONS].map((name, index) => [name, fenced(texts[index] ?? '')]));
}

const fenced = (text: string): string => `\`\`\`text\n${text.trim()}\n\`\`\``;
