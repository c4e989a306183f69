// The `@example` blocks in the docstrings of what the packages export. An example is code that uses public exports by
// their names, without importing them, and a few values that are there for it (`machine`, `cpu`, …). `expression // value`
// promises a value.
import { join } from 'node:path';
import ts from 'typescript';
import { PACKAGES } from './code-blocks.js';
import { ROOT } from './source-tree.js';

/** One example. */
export interface DocstringExample {
  /** `@retrovisor/core createMachine`. */
  readonly name: string;
  readonly code: string;
}

/** Where the exports of a public entry come from. */
const ENTRIES: Readonly<Record<string, string>> = {
  '@retrovisor/core': 'packages/core/src/index.ts',
  '@retrovisor/core/node': 'packages/core/src/node.ts',
  '@retrovisor/vmx': 'packages/vmx/src/index.ts',
  '@retrovisor/svm': 'packages/svm/src/index.ts',
  '@retrovisor/numa': 'packages/numa/src/index.ts',
};

/** Every example of every public entry, read by the compiler's own parser. */
export function docstringExamples(): readonly DocstringExample[] {
  const files = Object.values(ENTRIES).map((path) => join(ROOT, path));
  const program = ts.createProgram(files, {
    noLib: true,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    customConditions: ['@retrovisor/source'],
    target: ts.ScriptTarget.ES2023,
  });
  const checker = program.getTypeChecker();
  return Object.entries(ENTRIES).flatMap(([name, path]) => {
    const file = program.getSourceFile(join(ROOT, path));
    const module = file && checker.getSymbolAtLocation(file);
    if (module === undefined) throw new Error(`${path} exports nothing`);
    return checker.getExportsOfModule(module).flatMap((symbol) => examplesOf(name, symbol, checker));
  });
}

function examplesOf(name: string, symbol: ts.Symbol, checker: ts.TypeChecker): readonly DocstringExample[] {
  const declared = (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
  const tags = declared.getJsDocTags(checker).filter((tag) => tag.name === 'example');
  return tags.map(({ text }) => ({ name: `${name} ${symbol.name}`, code: ts.displayPartsToString(text) }));
}

/** What an example may use without saying where it comes from. The processor is in VMX operation, if it does not enter it. */
function surroundingsOf(code: string): string {
  return `
const memoryBytes = 64 * 2 ** 20;
const size = { processors: 2, memoryBytes };
const topology = new Topology(fitMachine(XEON_8360Y, size));
const text = JSON.stringify(topology.description);
const machine = createMachine({ profile: 'intel-server', processors: 2, plugins: [vmx, numa(topology.description)], boot: longMode() });
const cpu = machine.processor(0);
cpu.wrmsr(0x3a, 5n);
cpu.movToCr4(cpu.read('CR4') | (1n << 13n));
for (const region of [0x20_0000n, 0x20_1000n]) machine.writeMemory(region, Uint8Array.of(0x13));
${code.includes('vmxon(') ? '' : 'cpu.vmxon(0x20_0000n), cpu.vmclear(0x20_1000n), cpu.vmptrld(0x20_1000n);'}
const timeline = machine.timeline();
`;
}

/** The example as a module: imports, surroundings, and in a scope of its own the code; a promised value is exported. */
export function exampleModule({ code }: DocstringExample): string {
  const body = withPromise(code);
  const scope = `${surroundingsOf(code)}\n{\n${body}\n}`;
  return `${importsFor(scope)}\nexport let found: unknown;\nexport let promised: unknown;\n${scope}\n`;
}

/** What follows `//` on the last line is a value if it is an expression, else a remark. */
function withPromise(code: string): string {
  const [whole, expression = '', value = ''] = /^([^\n]+?);?\s*\/\/ ([^\n]+)$/.exec(code) ?? [];
  if (whole === undefined || !isExpression(value) || !isExpression(expression)) return code;
  return `found = ${expression};\npromised = ${value};`;
}

function isExpression(text: string): boolean {
  const { diagnostics = [] } = ts.transpileModule(`export const value = (${text});`, { reportDiagnostics: true });
  return diagnostics.length === 0;
}

function importsFor(scope: string): string {
  const words = new Set(scope.match(/\b[A-Za-z_]\w*\b/g));
  const own = new Set([...scope.matchAll(/\bconst (\w+)/g)].map(([, name]) => name));
  return Object.entries({ ...PACKAGES, vitest: { expect: undefined } })
    .map(([name, exports]) => [name, Object.keys(exports).filter((key) => words.has(key) && !own.has(key))] as const)
    .map(([name, used]) => `import { ${used.join(', ')} } from '${name}';`)
    .join('\n');
}
