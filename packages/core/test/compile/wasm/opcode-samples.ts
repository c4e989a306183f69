// One use of each row of the table of opcodes, as code that is valid: behind `unreachable` any operands are there.
import { FunctionCode } from '../../../src/compile/wasm/function-code.js';
import { type ModuleParts, moduleBytes } from '../../../src/compile/wasm/module.js';
import { type LaneOpcode, type MemoryOpcode, OPCODES, type PlainOpcode } from '../../../src/compile/wasm/opcodes.js';

export type OpcodeName = keyof typeof OPCODES;
export const OPCODE_NAMES = Object.keys(OPCODES) as readonly OpcodeName[];

type Writer = (code: FunctionCode, name: OpcodeName) => void;

const PARAMETER = { index: 0, type: 'i32' } as const;

/** What is written for a row depends on its immediates, and for some on more. */
const WRITERS: Readonly<Record<string, Writer>> = {
  none: (code, name) => code.op(name as PlainOpcode),
  memory: (code, name) => code.memory(name as MemoryOpcode, 0x1234),
  i32: (code) => code.i32(-0x1234_5678),
  i64: (code) => code.i64(-0x1234_5678_9abc_def0n),
  lane: (code, name) => code.lane(name as LaneOpcode, 1),
  lanes: (code) => code.shuffle(Array.from({ length: 16 }, (_, index) => 31 - index)),
  'local.get': (code) => code.get(PARAMETER),
  'local.set': (code) => code.set(PARAMETER),
  'local.tee': (code) => code.tee(PARAMETER),
  call: (code) => code.call(0),
  call_indirect: (code) => code.callIndirect(0),
  block: (code, name) => {
    code.open(name as 'block' | 'loop' | 'if');
    code.end();
  },
  else: (code) => {
    code.open('if');
    code.otherwise();
    code.op('unreachable'); // an assembler leaves out what is empty
    code.end();
  },
  end: (code) => {
    code.open('block');
    code.end();
  },
  br: (code) => {
    const label = code.open('block');
    code.br(label);
    code.end();
  },
  br_if: (code) => {
    const label = code.open('block');
    code.i32(1);
    code.brIf(label);
    code.end();
  },
};

/** A function with a parameter i32 and a result i32 that uses a row once. */
export function sampleOf(name: OpcodeName): FunctionCode {
  const code = new FunctionCode(1);
  code.op('unreachable');
  const write = WRITERS[name] ?? WRITERS[OPCODES[name][1]];
  if (write === undefined) throw new RangeError(`no sample of ${name}`);
  write(code, name);
  code.op('unreachable');
  return code;
}

const PARTS: Omit<ModuleParts, 'functions'> = {
  types: [{ parameters: ['i32'], results: ['i32'] }],
  imports: [
    { name: 'memory', kind: 'memory', pages: 1 },
    { name: 'table', kind: 'table' },
    { name: 'imported', kind: 'function', type: 0 },
  ],
};

/** A module with functions of that type, which may call one import and have a memory of one page and a table. */
export function moduleWith(...codes: readonly FunctionCode[]): Uint8Array<ArrayBuffer> {
  return moduleBytes({ ...PARTS, functions: codes.map((code, index) => ({ name: `f${index}`, type: 0, code })) });
}

/** The same in the text format, around the text of the functions. */
export function moduleText(...functions: readonly string[]): string {
  return [
    '(module',
    '(type (func (param i32) (result i32)))',
    '(import "machine" "memory" (memory 1 1))',
    '(import "machine" "table" (table 0 funcref))',
    '(import "machine" "imported" (func (type 0)))',
    ...functions,
    ...functions.map((_, index) => `(export "f${index}" (func ${index + 1}))`),
    ')',
  ].join('\n');
}
