// The text of a WebAssembly function (WebAssembly Core Specification, "Text Format"), read back from its bytes by the table
// of opcodes, for those who want to see what was generated. An assembler makes the same bytes of it. Instructions stand
// one on a line, not folded, as they run.
import { InternalError } from '../../error.js';
import { VALUE_TYPES, type ValueType } from './function-code.js';
import type { FunctionType } from './module.js';
import { type Immediate, OPCODES, VECTOR_PREFIX } from './opcodes.js';
import { VariableLengthReader } from './variable-length-reader.js';

/** Names by number. What has none is printed as its number. */
export interface TextNames {
  readonly locals?: ReadonlyMap<number, string>;
  readonly functions?: ReadonlyMap<number, string>;
}

/** One instruction. */
export interface TextLine {
  /** Where its bytes begin, counted from the first instruction: what `FunctionCode.size` was before it. */
  readonly at: number;
  /** Blocks around it; the `end` of one stands where its beginning does. */
  readonly depth: number;
  readonly text: string;
}

/** A function without its frame. */
export interface FunctionText {
  /** Locals behind the parameters. */
  readonly locals: readonly ValueType[];
  readonly lines: readonly TextLine[];
}

/** What is printed around the lines. */
export interface FunctionHead extends FunctionType {
  readonly name: string;
}

type Row = readonly [name: string, immediate: Immediate];

const ROWS: ReadonlyMap<number, Row> = new Map(
  Object.entries(OPCODES).map(([name, [code, immediate]]) => [code, [name, immediate]] as const),
);
const TYPE_NAMES: ReadonlyMap<number, ValueType> = new Map(
  (Object.keys(VALUE_TYPES) as ValueType[]).map((name) => [VALUE_TYPES[name], name] as const),
);
const LANES = 16;

/** The text of a function from what `FunctionCode.body` gave. */
export function functionText(body: readonly number[], names: TextNames = {}): FunctionText {
  const reader = new VariableLengthReader(body);
  const locals = localsIn(reader);
  const start = reader.at;
  const lines: TextLine[] = [];
  let depth = 0;
  while (!reader.isAtEnd) {
    const at = reader.at - start;
    const [name, immediate] = rowOf(reader);
    if (name === 'end' || name === 'else') depth--;
    if (depth < 0) break; // the end of the function has no line
    const words = [name, ...immediatesOf(reader, name, immediate, names)];
    lines.push({ at, depth, text: words.join(' ') });
    if (immediate === 'block' || name === 'else') depth++;
  }
  return { locals, lines };
}

/** The whole function as one definition. */
export function printFunction(head: FunctionHead, { locals, lines }: FunctionText, names: TextNames = {}): string {
  const parameters = head.parameters.map((type, index) => ` (param ${declared(names, index)}${type})`);
  const results = head.results.map((type) => ` (result ${type})`);
  return [
    `(func $${head.name}${parameters.join('')}${results.join('')}`,
    ...localLines(locals, head.parameters.length, names).map((line) => `  ${line}`),
    ...lines.map((line) => `  ${printLine(line)}`),
    ')',
  ].join('\n');
}

/** One line with the blocks around it as indentation. */
function printLine({ depth, text }: TextLine): string {
  return '  '.repeat(depth) + text;
}

/** Declarations of locals: one with a name for itself, others together. */
function localLines(locals: readonly ValueType[], parameters: number, names: TextNames = {}): readonly string[] {
  const lines: string[] = [];
  let unnamed: ValueType[] = [];
  const flush = (): void => {
    if (unnamed.length > 0) lines.push(`(local ${unnamed.join(' ')})`);
    unnamed = [];
  };
  locals.forEach((type, index) => {
    const name = declared(names, parameters + index);
    if (name === '') unnamed.push(type);
    else {
      flush();
      lines.push(`(local ${name}${type})`);
    }
  });
  flush();
  return lines;
}

function declared({ locals }: TextNames, index: number): string {
  const name = locals?.get(index);
  return name === undefined ? '' : `$${name} `;
}

function localsIn(reader: VariableLengthReader): readonly ValueType[] {
  const locals: ValueType[] = [];
  for (let groups = reader.unsigned(); groups > 0; groups--) {
    const count = reader.unsigned();
    const type = typeName(reader.byte());
    for (let index = 0; index < count; index++) locals.push(type);
  }
  return locals;
}

function typeName(code: number): ValueType {
  const name = TYPE_NAMES.get(code);
  if (name === undefined) throw new InternalError('a type that is not in the table', { code });
  return name;
}

function rowOf(reader: VariableLengthReader): Row {
  const first = reader.byte();
  const code = first === VECTOR_PREFIX ? (VECTOR_PREFIX << 8) + reader.unsigned() : first;
  const row = ROWS.get(code);
  if (row === undefined) throw new InternalError('an opcode that is not in the table', { code });
  return row;
}

function immediatesOf(
  reader: VariableLengthReader,
  name: string,
  immediate: Immediate,
  names: TextNames,
): readonly string[] {
  switch (immediate) {
    case 'index':
      return [indexed(reader.unsigned(), name === 'call' ? names.functions : names.locals)];
    case 'depth':
    case 'lane':
      return [String(reader.unsigned())];
    case 'lanes':
      return Array.from({ length: LANES }, () => String(reader.byte()));
    case 'memory':
      return memoryImmediates(reader, name);
    case 'i32':
    case 'i64':
      return [String(reader.signed())];
    case 'block':
      return blockType(reader.byte());
    case 'call': {
      const type = reader.unsigned();
      reader.byte(); // table 0
      return [`(type ${type})`];
    }
    default:
      return [];
  }
}

function indexed(index: number, names: ReadonlyMap<number, string> | undefined): string {
  const name = names?.get(index);
  return name === undefined ? String(index) : `$${name}`;
}

/** What is as the text format assumes is not said: an offset of 0, and the alignment that is natural to the access. */
function memoryImmediates(reader: VariableLengthReader, name: string): readonly string[] {
  const alignment = 2 ** reader.unsigned();
  const offset = reader.unsigned();
  return [
    ...(offset === 0 ? [] : [`offset=${offset}`]),
    ...(alignment === naturalAlignment(name) ? [] : [`align=${alignment}`]),
  ];
}

/** Bytes of the access: `i32.load16_u` has 2, `v128.load8x8_s` has 8, and where the name gives no bits the type does. */
function naturalAlignment(name: string): number {
  const [, type = '', bits = type, lanes = '1'] = /^[iv](\d+)\.(?:load|store)(\d+)?(?:x(\d+))?/.exec(name) ?? [];
  return (Number(bits) * Number(lanes)) / 8;
}

const NO_RESULT = 0x40;

function blockType(code: number): readonly string[] {
  return code === NO_RESULT ? [] : [`(result ${typeName(code)})`];
}
