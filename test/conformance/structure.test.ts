// The conventions of the code that a machine can check and no linter knows: sizes, names, and who may import whom.
// A test that fails lists the offending places.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import {
  filesBelow,
  functionsOf,
  importedPath,
  importsOf,
  packageSources,
  percentile,
  placesWhere,
  ROOT,
  type SourceFile,
} from '../support/source-tree.js';

const sources = packageSources();
const functions = sources.flatMap(functionsOf);
const linesOfFiles = sources.map((file) => file.lineCount);
const linesOfFunctions = functions.map((each) => each.lineCount);
const testFiles = [...readdirSync(join(ROOT, 'packages')).map((name) => `packages/${name}/test`), 'test']
  .filter((folder) => existsSync(join(ROOT, folder)))
  .flatMap(filesBelow);

/** One table of rows that are all alike may be longer than any other file; its first line says that it is one. */
const isFlatTable = (file: SourceFile) => file.text.startsWith('// One flat table:');

describe('top level', () => {
  const allowed = ['LICENSE', 'README.md', 'docs', 'examples', 'node_modules', 'package.json', 'packages'];
  const workspace = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'test'];

  it('shows only what a reader looks for', () => {
    const visible = readdirSync(ROOT).filter((name) => !name.startsWith('.') && !name.endsWith('.rvt')); // a reader's own traces
    expect(visible.filter((name) => ![...allowed, ...workspace].includes(name))).toEqual([]);
    expect(readdirSync(join(ROOT, 'packages')).toSorted()).toEqual(['cli', 'core', 'numa', 'svm', 'vmx']);
  });

  it('locks versions, not the place they were fetched from', () => {
    expect(readFileSync(join(ROOT, 'pnpm-lock.yaml'), 'utf8')).not.toMatch(/https?:|tarball:/);
  });
});

describe('sizes', () => {
  it('has no source file over 600 lines but a flat table', () => {
    const long = sources.filter((file) => file.lineCount > 600 && !isFlatTable(file));
    expect(long.map((file) => `${file.path}: ${file.lineCount} lines`)).toEqual([]);
  });

  it('has no function over 80 lines', () => {
    const long = functions.filter((each) => each.lineCount > 80);
    expect(long.map((each) => `${each.place}: ${each.lineCount} lines`)).toEqual([]);
  });

  it('has files of at most 120 lines in the median, 400 at the 95th percentile', () => {
    expect(percentile(linesOfFiles, 0.5)).toBeLessThanOrEqual(120);
    expect(percentile(linesOfFiles, 0.95)).toBeLessThanOrEqual(400);
  });

  it('has functions of at most 8 lines in the median, 35 at the 95th percentile', () => {
    expect(percentile(linesOfFunctions, 0.5)).toBeLessThanOrEqual(8);
    expect(percentile(linesOfFunctions, 0.95)).toBeLessThanOrEqual(35);
  });
});

describe('names', () => {
  const paths = [...sources.map((file) => file.path), ...testFiles.filter((path) => path.endsWith('.ts'))];

  it('are kebab-case', () => {
    const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|config|d))?\.ts$/;
    expect(paths.filter((path) => !kebab.test(basename(path)))).toEqual([]);
  });

  it('say what is inside, never utils, helpers, common or types', () => {
    const vague = /(^|\/)(utils?|helpers?|common|types|misc|shared)(\/|\.)/;
    expect(paths.filter((path) => vague.test(path))).toEqual([]);
  });

  it('of test folders mirror those of the sources', () => {
    // What several tests of a package share, and the inventories that they are checked against, mirror nothing.
    const besides = /\/test\/(support|spec)(\/|$)/;
    const folders = testFiles
      .filter((path) => path.startsWith('packages/'))
      .map(dirname)
      .filter((folder) => !besides.test(folder));
    const lost = folders.filter((folder) => !existsSync(join(ROOT, folder.replace(/\/test\b/, '/src'))));
    expect([...new Set(lost)]).toEqual([]);
  });
});

describe('imports', () => {
  const allowed: Record<string, readonly string[]> = {
    core: [],
    vmx: ['@retrovisor/core'],
    svm: ['@retrovisor/core'],
    numa: ['@retrovisor/core'],
    cli: ['@retrovisor/core', '@retrovisor/core/node', '@retrovisor/vmx', '@retrovisor/svm', '@retrovisor/numa'],
  };
  const imports = sources.flatMap((file) => importsOf(file).map((specifier) => ({ file, specifier })));
  const shown = ({ file, specifier }: { file: SourceFile; specifier: string }) => `${file.path} imports ${specifier}`;

  it('between packages point from cli to vmx, svm and numa to core, and only at public entries', () => {
    const own = imports.filter(({ specifier }) => specifier.startsWith('@retrovisor/'));
    expect(own.filter(({ file, specifier }) => !allowed[file.package]?.includes(specifier)).map(shown)).toEqual([]);
  });

  it('that are relative stay inside their package and end in .js', () => {
    const wrong = imports.filter(({ file, specifier }) => {
      const inside = importedPath(file, specifier).startsWith(`packages/${file.package}/src/`);
      return specifier.startsWith('.') && !(inside && specifier.endsWith('.js'));
    });
    expect(wrong.map(shown)).toEqual([]);
  });

  it('of node: modules are made by cli and by the entry @retrovisor/core/node alone', () => {
    const forNode = (file: SourceFile) => file.package === 'cli' || /^packages\/core\/src\/node[./]/.test(file.path);
    const wrong = imports.filter(({ file, specifier }) => specifier.startsWith('node:') && !forNode(file));
    expect(wrong.map(shown)).toEqual([]);
  });

  it('never lead from core into its entry for Node', () => {
    const wrong = imports.filter(({ file, specifier }) => {
      const intoNode = specifier.startsWith('.') && /\/src\/node[./]/.test(importedPath(file, specifier));
      return file.package === 'core' && intoNode && !/\/src\/node[./]/.test(file.path);
    });
    expect(wrong.map(shown)).toEqual([]);
  });
});

describe('content', () => {
  it('of index.ts is re-exports only', () => {
    const isReExport = (node: ts.Statement) => ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined;
    const indexes = sources.filter((file) => basename(file.path) === 'index.ts');
    expect(indexes.filter((file) => !file.syntax.statements.every(isReExport)).map((file) => file.path)).toEqual([]);
  });

  it('draws no random number: the same events give the same state', () => {
    const pure = sources.filter((file) => file.package !== 'cli');
    const isRandom = (node: ts.Node) => ts.isPropertyAccessExpression(node) && node.getText() === 'Math.random';
    expect(pure.flatMap((file) => placesWhere(file, isRandom))).toEqual([]);
  });

  it('marks nothing as to be done without the number of an issue', () => {
    const own = 'test/conformance/structure.test.ts';
    const paths = [...sources.map((file) => file.path), ...testFiles, ...filesBelow('.workspace')];
    const marks = paths.filter((path) => path !== own && /\.m?ts$|\.mjs$/.test(path)).flatMap(unnumberedMarks);
    expect(marks).toEqual([]);
  });
});

function unnumberedMarks(path: string): readonly string[] {
  const lines = readFileSync(join(ROOT, path), 'utf8').split('\n');
  const open = /\b(TODO|FIXME)\b(?! ?\(?#\d)/;
  return lines.flatMap((line, index) => (open.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : []));
}
