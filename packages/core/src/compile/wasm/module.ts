// A WebAssembly module as bytes (WebAssembly Core Specification, "Modules", binary format): types, imports, one table at the
// most, functions and exports. Everything else generated code does without.
import { type FunctionCode, VALUE_TYPES, type ValueType } from './function-code.js';
import { unsigned } from './variable-length.js';

/** Parameters and results. */
export interface FunctionType {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** What a module asks its user for. Functions are numbered in this order, before the module's own. */
type Import =
  | { readonly name: string; readonly kind: 'function'; readonly type: number }
  | { readonly name: string; readonly kind: 'memory'; readonly pages: number }
  | { readonly name: string; readonly kind: 'table' };

/** A function of the module. */
interface ExportedFunction {
  readonly name: string;
  readonly type: number;
  readonly code: FunctionCode;
}

export interface ModuleParts {
  readonly types: readonly FunctionType[];
  readonly imports: readonly Import[];
  readonly functions: readonly ExportedFunction[];
}

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const SECTIONS = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;
const FUNCTION_TYPE = 0x60;
const KINDS = { function: 0, table: 1, memory: 2 } as const;
const FUNCTION_REFERENCE = 0x70;
/** Limits with a minimum alone, and with a maximum. */
const [AT_LEAST, BETWEEN] = [0, 1];
/** The module's name for all of its imports. */
const IMPORTER = 'machine';

/** The bytes of a module. */
export function moduleBytes({ types, imports, functions }: ModuleParts): Uint8Array<ArrayBuffer> {
  const bytes = [...HEADER];
  const imported = imports.filter(({ kind }) => kind === 'function').length;
  section(bytes, SECTIONS.type, types.map(typeEntry));
  section(bytes, SECTIONS.import, imports.map(importEntry));
  section(
    bytes,
    SECTIONS.function,
    functions.map(({ type }) => [type]),
  );
  section(
    bytes,
    SECTIONS.export,
    functions.map(({ name }, index) => [...text(name), KINDS.function, ...number(imported + index)]),
  );
  section(
    bytes,
    SECTIONS.code,
    functions.map(({ code }) => sized(code.body())),
  );
  return Uint8Array.from(bytes);
}

function typeEntry({ parameters, results }: FunctionType): readonly number[] {
  return [FUNCTION_TYPE, ...valueTypes(parameters), ...valueTypes(results)];
}

function valueTypes(types: readonly ValueType[]): readonly number[] {
  return [types.length, ...types.map((type) => VALUE_TYPES[type])];
}

function importEntry(imported: Import): readonly number[] {
  const names = [...text(IMPORTER), ...text(imported.name), KINDS[imported.kind]];
  if (imported.kind === 'function') return [...names, ...number(imported.type)];
  if (imported.kind === 'table') return [...names, FUNCTION_REFERENCE, AT_LEAST, 0];
  return [...names, BETWEEN, ...number(imported.pages), ...number(imported.pages)];
}

function text(value: string): readonly number[] {
  return sized([...value].map((character) => character.charCodeAt(0)));
}

function number(value: number): readonly number[] {
  const bytes: number[] = [];
  unsigned(bytes, value);
  return bytes;
}

function sized(content: readonly number[]): readonly number[] {
  return [...number(content.length), ...content];
}

function section(bytes: number[], id: number, entries: readonly (readonly number[])[]): void {
  const content = [...number(entries.length), ...entries.flat()];
  bytes.push(id);
  for (const byte of sized(content)) bytes.push(byte);
}
