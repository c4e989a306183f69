// Runs and type-checks TypeScript that stands in documents and docstrings. A block may import the packages and earlier
// blocks of its document, by the file name in their first line: `// doorbell.ts`.
import { join } from 'node:path';
import { formatWithOptions } from 'node:util';
import * as core from '@retrovisor/core';
import * as coreForNode from '@retrovisor/core/node';
import * as numa from '@retrovisor/numa';
import * as svm from '@retrovisor/svm';
import * as vmx from '@retrovisor/vmx';
import ts from 'typescript';
import { ROOT } from './source-tree.js';

/** The packages that code may import. */
export const PACKAGES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  '@retrovisor/core': core,
  '@retrovisor/core/node': coreForNode,
  '@retrovisor/numa': numa,
  '@retrovisor/svm': svm,
  '@retrovisor/vmx': vmx,
};

/** TypeScript under a name that other code imports it by. */
export interface Code {
  /** From the root of the workspace: `docs/recipes/write-a-plugin/doorbell.ts`. */
  readonly path: string;
  readonly text: string;
}

/** Runs a module and returns what it printed, and its exports. */
export function runCode(
  text: string,
  modules: Readonly<Record<string, unknown>>,
): { printed: string; exports: unknown } {
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  });
  const lines: string[] = [];
  const print = (...values: unknown[]) => lines.push(formatWithOptions({ colors: false }, ...values));
  const exports = {};
  const load = (name: string) => modules[name] ?? PACKAGES[name] ?? missing(name);
  new Function('require', 'exports', 'console', outputText)(load, exports, { log: print });
  return { printed: lines.join('\n'), exports };
}

function missing(name: string): never {
  throw new Error(`${name} is neither a package of this workspace nor an earlier block of the document`);
}

/** What the compiler says about code, as `path:line: message`. The code is not on disk. */
export function typeErrors(all: readonly Code[]): readonly string[] {
  const options = { ...compilerOptions(), noUnusedLocals: false };
  const texts = new Map(all.map(({ path, text }) => [join(ROOT, path), text]));
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  delete host.directoryExists; // folders that are not on disk hold files too
  host.fileExists = (path) => texts.has(path) || fileExists(path);
  host.readFile = (path) => texts.get(path) ?? readFile(path);
  host.getSourceFile = (path, target) => {
    const text = host.readFile(path);
    return text === undefined ? undefined : ts.createSourceFile(path, text, target);
  };
  const program = ts.createProgram([...texts.keys()], options, host);
  const files = [...texts.keys()].flatMap((path) => program.getSourceFile(path) ?? []);
  return files
    .flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)])
    .map(shown);
}

function shown({ file, start = 0, messageText }: ts.Diagnostic): string {
  const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line + 1;
  return `${file?.fileName.replace(ROOT, '')}:${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
}

function compilerOptions(): ts.CompilerOptions {
  const file = join(ROOT, '.config/tsconfig.base.json');
  const { config } = ts.readConfigFile(file, ts.sys.readFile);
  return ts.convertCompilerOptionsFromJson(config.compilerOptions, join(ROOT, '.config')).options;
}
