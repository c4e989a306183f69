// Modules as bytes: what an independent validator accepts, and what the engine makes of them.
import { describe, expect, it } from 'vitest';
import { FunctionCode, type Local } from '../../../src/compile/wasm/function-code.js';
import { moduleBytes } from '../../../src/compile/wasm/module.js';
import { moduleWith, OPCODE_NAMES, sampleOf } from './opcode-samples.js';
import { disassembled, validate } from './reference-tools.js';

describe('moduleBytes', () => {
  it.each(OPCODE_NAMES)('makes a valid module of a function with %s', (name) => {
    const module = moduleWith(sampleOf(name));
    expect(() => validate(module)).not.toThrow();
    expect(WebAssembly.validate(module)).toBe(true);
  });

  it('gives the validator something to refuse: the test above can fail', () => {
    const code = new FunctionCode(1);
    code.op('i32.add');
    expect(() => validate(moduleWith(code))).toThrow(/type mismatch in i32\.add/);
  });

  it('numbers imported functions before its own, and exports each by its name', () => {
    const [calls, twice] = [new FunctionCode(1), new FunctionCode(1)];
    const parameter: Local = { index: 0, type: 'i32' };
    calls.get(parameter);
    calls.call(0);
    twice.get(parameter);
    twice.call(1);
    twice.call(1);
    const bytes = moduleBytes({
      types: [{ parameters: ['i32'], results: ['i32'] }],
      imports: [{ name: 'triple', kind: 'function', type: 0 }],
      functions: [
        { name: 'once', type: 0, code: calls },
        { name: 'twice', type: 0, code: twice },
      ],
    });
    const imports = { machine: { triple: (value: number) => 3 * value } };
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports);
    const call = (name: string, value: number): unknown => (exports[name] as (value: number) => number)(value);
    expect([call('once', 5), call('twice', 5)]).toEqual([15, 45]);
  });

  it('imports a memory of exactly so many pages, and a table of any size', () => {
    const module = moduleBytes({
      types: [],
      imports: [
        { name: 'memory', kind: 'memory', pages: 4000 },
        { name: 'table', kind: 'table' },
      ],
      functions: [],
    });
    expect(disassembled(module)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^\(import "machine" "memory" \(memory 4000 4000\)\)/),
        expect.stringMatching(/^\(import "machine" "table" \(table 0 funcref\)\)/),
      ]),
    );
  });

  it('has sections of any length: a hundred functions with a thousand instructions each', () => {
    const codes = Array.from({ length: 100 }, (_, number) => {
      const code = new FunctionCode(1);
      for (let index = 0; index < 500; index++) {
        code.i32(number * index);
        code.op('drop');
      }
      code.i32(number);
      return code;
    });
    const module = moduleWith(...codes);
    validate(module);
    const imports = {
      machine: {
        memory: new WebAssembly.Memory({ initial: 1, maximum: 1 }),
        table: new WebAssembly.Table({ element: 'anyfunc', initial: 0 }),
        imported: () => 0,
      },
    };
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module), imports);
    expect((exports['f99'] as () => number)()).toBe(99);
  });
});
