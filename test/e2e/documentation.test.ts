// What the documents say is true: every command and code block is run, printed output is compared, generated parts are
// up to date, and every file that is named exists.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generatedDocuments } from '../docs/generated-documents.js';
import { type Code, runCode, typeErrors } from '../support/code-blocks.js';
import { docstringExamples, exampleModule } from '../support/docstring-examples.js';
import { blocksIn, commandsOf, type DocumentBlock, LANGUAGES, languagesIn } from '../support/document-blocks.js';
import { filesBelow, packageSources, ROOT } from '../support/source-tree.js';

const paths = ['README.md', ...filesBelow('docs').filter((path) => path.endsWith('.md'))];
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const blocks = paths.flatMap((path) => blocksIn(path, read(path)));
const shown = ({ document, line }: DocumentBlock) => `${document}:${line}`;
const { scripts } = JSON.parse(read('package.json')) as { scripts: Readonly<Record<string, string>> };

describe('fenced blocks', () => {
  it.each(paths)('of %s are commands, code, or output', (path) => {
    expect(languagesIn(read(path)).filter((language) => !LANGUAGES.includes(language))).toEqual([]);
  });
});

describe('commands', () => {
  const RETROVISOR = 'npm run -s retrovisor -- ';
  const written = blocks.filter(({ language }) => language === 'sh');
  const inline = [...read('README.md').matchAll(/`(npm run -s retrovisor -- [^`]+)`/g)].map(
    ([, command = '']) => command,
  );
  const runs = new Map<string, CommandRun>();
  let folder = '';

  // The files that commands write stay out of the workspace.
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'retrovisor-docs-'));
    for (const name of ['examples', 'docs', 'test']) symlinkSync(join(ROOT, name), join(folder, name));
    const commands = [...written.flatMap(commandsOf), ...inline].filter((command) => command.startsWith(RETROVISOR));
    const finished = retrovisor(
      folder,
      commands.map((command) => wordsOf(command.slice(RETROVISOR.length))),
    );
    for (const [index, run] of finished.entries()) runs.set(commands[index] ?? '', run);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(written.map((block) => [shown(block), block] as const))(
    'of %s do what is printed below them',
    (_place, block) => {
      const printed = commandsOf(block).map((command) =>
        command.startsWith(RETROVISOR) ? printedBy(command) : known(command),
      );
      if (block.output !== undefined) expect(printed.join('\n')).toBe(block.output);
    },
  );

  it.each(inline)('in the sentences and tables of the README run: %s', (command) => {
    expect(printedBy(command)).not.toBe('');
  });

  /** What a command printed on both streams; neither wrong usage nor unreadable input. */
  function printedBy(command: string): string {
    const run = runs.get(command);
    expect([0, 1], run?.printed).toContain(run?.status);
    return run?.printed ?? '';
  }

  /** Not run: this test is part of what `npm test` runs. */
  function known(command: string): string {
    const script = /^(?:npm (?:run )?|pnpm )([a-z]+)$/.exec(command)?.[1];
    expect(Object.keys(scripts), `${command} is no script of package.json`).toContain(script);
    return '';
  }
});

interface CommandRun {
  readonly printed: string;
  readonly status: number;
}

/** Runs calls of the command one after the other in a folder, as npm's script does in a clone. */
function retrovisor(folder: string, calls: readonly (readonly string[])[]): readonly CommandRun[] {
  const command = [
    join(ROOT, 'node_modules/.bin/tsx'),
    '--conditions=@retrovisor/source',
    join(ROOT, 'test/support/run-commands.ts'),
  ];
  const args = [...command, join(ROOT, 'packages/cli/src/main.ts'), JSON.stringify(calls)];
  const env = { ...process.env, NO_COLOR: '1', npm_lifecycle_event: 'retrovisor' };
  const { stdout } = spawnSync('sh', ['-c', '"$@" 2>&1', 'sh', ...args], { cwd: folder, encoding: 'utf8', env });
  return [...stdout.matchAll(/([\s\S]*?)\n=== status (\d+) ===\n/g)].map(([, printed = '', status]) => ({
    printed: printed.trimEnd(),
    status: Number(status),
  }));
}

/** Words as a shell splits them; single quotes are the only ones that documents use. */
function wordsOf(command: string): readonly string[] {
  return [...command.matchAll(/'([^']*)'|\S+/g)].map(([word, quoted]) => quoted ?? word);
}

describe('code blocks', () => {
  const written = blocks.filter(({ language }) => language === 'ts');
  const all = written.map(
    (block): Code => ({ path: `${block.document.replace('.md', '')}/${fileNameOf(block)}`, text: block.code }),
  );

  it('type-check', () => {
    expect(typeErrors(all)).toEqual([]);
  });

  it.each([...new Set(written.map(({ document }) => document))])('of %s print what is below them', (document) => {
    const modules: Record<string, unknown> = {};
    for (const block of written.filter((each) => each.document === document)) {
      const { printed, exports } = runCode(block.code, modules);
      modules[`./${fileNameOf(block).replace('.ts', '.js')}`] = exports;
      expect(printed, shown(block)).toBe(block.output ?? '');
    }
  });

  function fileNameOf({ code, line }: DocumentBlock): string {
    return /^\/\/ (\S+\.ts)\n/.exec(code)?.[1] ?? `line-${line}.ts`;
  }
});

describe('examples in docstrings', () => {
  const examples = docstringExamples();

  it('type-check', () => {
    const all = examples.map(
      (example, index): Code => ({ path: `docs/example-${index}.ts`, text: exampleModule(example) }),
    );
    const errors = typeErrors(all);
    expect(
      errors.map((error) =>
        error.replace(/docs\/example-(\d+)\.ts/, (_, index) => examples[Number(index)]?.name ?? ''),
      ),
    ).toEqual([]);
  });

  // Those of files would leave some behind.
  const runnable = examples.filter(({ name }) => !name.startsWith('@retrovisor/core/node'));
  it.each(runnable.map((example) => [example.name, example] as const))('of %s run', (_name, example) => {
    const { exports } = runCode(exampleModule(example), { vitest: { expect } });
    const { found, promised } = exports as { readonly found?: unknown; readonly promised?: unknown };
    expect(found).toEqual(promised);
  });
});

describe('generated parts', () => {
  it.each(generatedDocuments().map((document) => [document.path, document] as const))(
    'of %s are up to date (npm run docs)',
    (_path, document) => {
      const missing = document.expected.split('\n').filter((line) => !document.found.split('\n').includes(line));
      expect(missing.slice(0, 5)).toEqual([]);
      expect(document.found === document.expected).toBe(true);
    },
  );

  it('of the reading guide name every source file', () => {
    const guide = read('docs/reading-guide.md');
    expect(
      packageSources()
        .filter(({ path }) => !guide.includes(`(../${path})`))
        .map(({ path }) => path),
    ).toEqual([]);
  });
});

describe('the README', () => {
  it('names every package and every recipe', () => {
    const text = read('README.md');
    const recipes = filesBelow('docs/recipes').map((path) => basename(path));
    expect(['core', 'vmx', 'svm', 'numa', 'cli', ...recipes].filter((name) => !text.includes(name))).toEqual([]);
  });
});
