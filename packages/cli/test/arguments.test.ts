import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseArguments } from '../src/arguments.js';
import { VERBS } from '../src/verb-table.js';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

describe('the command line', () => {
  it('is read by the row of its verb', () => {
    const call = parseArguments(['show', 'walk.rvt', '--at', '0x10', '--view', 'vmcs', '--json'], '1.0.0');
    expect(call?.operands).toEqual(['walk.rvt']);
    expect(call?.options).toEqual({
      json: true,
      debug: false,
      plugin: [],
      fwCfg: [],
      edit: [],
      family: [],
      at: 16,
      view: 'vmcs',
    });
  });

  it('keeps every value of an option that may be repeated', () => {
    const call = parseArguments(['run', 'a.ts', '--plugin', 'x', '--plugin', './y.ts', '-m', '1G'], '1.0.0');
    expect(call?.options).toMatchObject({ plugin: ['x', './y.ts'], memory: 2 ** 30 });
  });

  it('has an operand that is optional only where the verb says so', () => {
    expect(parseArguments(['diff', 'a.rvt', 'b.rvt'], '1.0.0')?.operands).toEqual(['a.rvt', 'b.rvt']);
    expect(parseArguments(['diff', 'a.rvt', '1', '2'], '1.0.0')?.operands).toEqual(['a.rvt', '1', '2']);
  });

  it.each(Object.entries(VERBS))('loads the code of %s when it runs', async (name, { load, examples }) => {
    expect(await load()).toBeTypeOf('function');
    expect(examples.every((example) => example.startsWith(`retrovisor ${name}`))).toBe(true);
  });
});

// Loading the machine means compiling a decoder: whoever asks for help should not wait for it.
describe('--help', () => {
  it('loads no package of the machine', () => {
    const specifiers = [...staticImports('main.ts')];
    expect(specifiers.filter((specifier) => specifier.startsWith('@retrovisor/'))).toEqual([]);
    expect(specifiers).toContain('commander');
  });
});

/** What a source and the sources that it imports import when they are loaded; types are gone by then. */
function* staticImports(path: string, seen = new Set<string>()): IterableIterator<string> {
  if (seen.has(path)) return;
  seen.add(path);
  const source = readFileSync(join(SRC, path), 'utf8');
  for (const [, clause = '', specifier = ''] of source.matchAll(/^import (type )?[^;]*?from '([^']+)';/gm)) {
    if (clause !== '') continue;
    yield specifier;
    if (specifier.startsWith('.')) yield* staticImports(join(dirname(path), specifier.replace(/\.js$/, '.ts')), seen);
  }
}
