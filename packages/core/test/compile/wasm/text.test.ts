// The text of generated code: the same as an independent disassembler prints, and the same bytes when it is assembled again.
import { describe, expect, it } from 'vitest';
import { FunctionCode, type Local } from '../../../src/compile/wasm/function-code.js';
import { functionText, printFunction } from '../../../src/compile/wasm/text.js';
import { moduleText, moduleWith, OPCODE_NAMES, sampleOf } from './opcode-samples.js';
import { assembled, disassembled } from './reference-tools.js';

const LEFT: Local = { index: 0, type: 'i32' };

/** A counted loop with names for some locals. */
function loop(): FunctionCode {
  const code = new FunctionCode(1);
  const sum = code.local('i64', 'sum');
  const [first, second] = [code.local('i32'), code.local('i32')];
  const done = code.open('block');
  const again = code.open('loop');
  code.get(LEFT);
  code.op('i32.eqz');
  code.brIf(done);
  code.loadAt('i64.load', 8);
  code.set(sum);
  code.get(first);
  code.set(second);
  code.br(again);
  code.end();
  code.end();
  code.open('if', 'i32');
  code.i32(1);
  code.otherwise();
  code.call(0);
  code.end();
  return code;
}

describe('functionText', () => {
  it.each(OPCODE_NAMES)('prints %s as the disassembler does', (name) => {
    const code = sampleOf(name);
    const lines = functionText(code.body()).lines.map(({ text }) => text);
    const all = disassembled(moduleWith(code));
    const body = all.slice(all.indexOf('unreachable'));
    expect(lines.some((line) => line.split(' ')[0] === name)).toBe(true);
    // The disassembler closes the function behind its last line and goes on with the exports.
    expect(body.slice(0, lines.length).map(balanced)).toEqual(lines);
    expect(body[lines.length]).toMatch(/^\(export/);
  });

  it('tells where each instruction begins, as the size of the code was there', () => {
    const code = new FunctionCode(1);
    const begins: number[] = [];
    for (const write of [() => code.i64(2n ** 40n), () => code.op('drop'), () => code.get(LEFT), () => code.i32(300)]) {
      begins.push(code.size);
      write();
    }
    expect(functionText(code.body()).lines.map(({ at }) => at)).toEqual(begins);
  });
});

describe('printFunction', () => {
  it('indents by nesting and gives locals and functions the names that are known', () => {
    const code = loop();
    const names = { locals: new Map([[0, 'left'], ...code.names]), functions: new Map([[0, 'plain']]) };
    const text = printFunction(
      { name: 'region', parameters: ['i32'], results: ['i32'] },
      functionText(code.body(), names),
      names,
    );
    expect(text.split('\n')).toEqual([
      '(func $region (param $left i32) (result i32)',
      '  (local $sum i64)',
      '  (local i32 i32)',
      '  block',
      '    loop',
      '      local.get $left',
      '      i32.eqz',
      '      br_if 1',
      '      i32.const 0',
      '      i64.load offset=8 align=1',
      '      local.set $sum',
      '      local.get 2',
      '      local.set 3',
      '      br 0',
      '    end',
      '  end',
      '  if (result i32)',
      '    i32.const 1',
      '  else',
      '    call $plain',
      '  end',
      ')',
    ]);
  });

  it('is assembled to the bytes that it was printed from, all opcodes included', () => {
    const codes = OPCODE_NAMES.map(sampleOf);
    const texts = codes.map((code, index) =>
      printFunction({ name: `f${index}`, parameters: ['i32'], results: ['i32'] }, functionText(code.body())),
    );
    expect(assembled(moduleText(...texts))).toEqual(new Uint8Array(moduleWith(...codes)));
  });
});

/** A line without the parentheses that close what was opened on another one. */
function balanced(line: string): string {
  let open = 0;
  for (const [end, character] of [...line].entries()) {
    if (character === '(') open++;
    if (character === ')' && --open < 0) return line.slice(0, end);
  }
  return line;
}
