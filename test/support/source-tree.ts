// The sources of the packages as data: files, imports, functions. What the structure tests look at.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface SourceFile {
  /** From the root of the workspace: `packages/core/src/error.ts`. */
  readonly path: string;
  readonly package: string;
  readonly text: string;
  readonly lineCount: number;
  readonly syntax: ts.SourceFile;
}

export interface FunctionInSource {
  readonly place: string;
  readonly lineCount: number;
}

/** All files below a folder of the workspace, without what is installed or built. */
export function filesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ['node_modules', 'dist', '.git'].includes(entry.name) ? [] : filesBelow(path);
    return [path];
  });
}

/** Every packages/NAME/src/**.ts. */
export function packageSources(): readonly SourceFile[] {
  return readdirSync(join(ROOT, 'packages')).flatMap((name) =>
    filesBelow(`packages/${name}/src`)
      .filter((path) => path.endsWith('.ts'))
      .map((path) => parse(path, name)),
  );
}

function parse(path: string, packageName: string): SourceFile {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const syntax = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  return { path, package: packageName, text, lineCount: text.trimEnd().split('\n').length, syntax };
}

/** The module names that a file imports or re-exports, `import()` included. */
export function importsOf(file: SourceFile): readonly string[] {
  const found: string[] = [];
  visit(file.syntax, (node) => {
    const specifier = moduleSpecifier(node);
    if (specifier !== undefined && ts.isStringLiteral(specifier)) found.push(specifier.text);
  });
  return found;
}

function moduleSpecifier(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) return node.arguments[0];
  return undefined;
}

/** The path of the source that a relative import of `file` names. */
export function importedPath(file: SourceFile, specifier: string): string {
  return relative(ROOT, join(ROOT, dirname(file.path), specifier)).replace(/\.js$/, '.ts');
}

/** Functions, methods, accessors and arrow functions with a body. A function counts the lines of those inside it. */
export function functionsOf(file: SourceFile): readonly FunctionInSource[] {
  const found: FunctionInSource[] = [];
  visit(file.syntax, (node) => {
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return;
    const first = lineOf(file, node.getStart());
    const lineCount = lineOf(file, node.getEnd()) - first + 1;
    found.push({ place: `${file.path}:${first}${nameOf(node)}`, lineCount });
  });
  return found;
}

function nameOf(node: ts.SignatureDeclaration): string {
  const named = node.name ?? (ts.isVariableDeclaration(node.parent) ? node.parent.name : undefined);
  return named === undefined ? '' : ` ${named.getText()}`;
}

/** The places in a file whose node satisfies a condition, as `path:line`. */
export function placesWhere(file: SourceFile, condition: (node: ts.Node) => boolean): readonly string[] {
  const found: string[] = [];
  visit(file.syntax, (node) => {
    if (condition(node)) found.push(`${file.path}:${lineOf(file, node.getStart())}`);
  });
  return found;
}

function lineOf(file: SourceFile, position: number): number {
  return file.syntax.getLineAndCharacterOfPosition(position).line + 1;
}

function visit(node: ts.Node, look: (node: ts.Node) => void): void {
  look(node);
  ts.forEachChild(node, (child) => visit(child, look));
}

/** The value that a share of all values does not exceed: 0.5 for the median. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
}
