import { describe, expect, it } from 'vitest';
import { FunctionCode, type Label } from '../../../src/compile/wasm/function-code.js';
import { functionText } from '../../../src/compile/wasm/text.js';
import { moduleWith } from './opcode-samples.js';
import { validate } from './reference-tools.js';

const textOf = (code: FunctionCode): readonly string[] => functionText(code.body()).lines.map(({ text }) => text);

describe('FunctionCode', () => {
  it('counts the depth of a branch from where it stands', () => {
    const code = new FunctionCode(1);
    const labels: Label[] = [];
    for (let depth = 0; depth < 200; depth++) labels.push(code.open('block'));
    code.br(labels[0] as Label);
    code.end();
    code.br(labels[0] as Label);
    code.br(labels[198] as Label);
    for (let depth = 0; depth < 199; depth++) code.end();
    code.i32(0);
    expect(textOf(code).filter((text) => text.startsWith('br'))).toEqual(['br 199', 'br 198', 'br 0']);
    validate(moduleWith(code));
  });

  it('refuses a branch to a block that was closed, and a body with a block that is open', () => {
    const code = new FunctionCode(1);
    const label = code.open('block');
    expect(() => code.body()).toThrow('a block is still open');
    code.end();
    expect(() => code.br(label)).toThrow('a branch out of a block that was closed');
  });

  it('declares locals of one type in a row together', () => {
    const code = new FunctionCode(2);
    const locals = (['i32', 'i32', 'i64', 'v128', 'i32'] as const).map((type) => code.local(type));
    expect(locals.map(({ index }) => index)).toEqual([2, 3, 4, 5, 6]);
    const groups = [4, 2, 0x7f, 1, 0x7e, 1, 0x7b, 1, 0x7f];
    expect(code.body()).toEqual([...groups, 0x0b]);
  });

  it('lends a temporary again when all have been released, by type', () => {
    const code = new FunctionCode(0);
    const [narrow, wide] = [code.temporary('i32'), code.temporary('i64')];
    expect(code.temporary('i32')).not.toEqual(narrow);
    code.releaseTemporaries();
    const again = [code.temporary('i32'), code.temporary('i32')];
    expect(again).toContainEqual(narrow);
    expect(code.temporary('i64')).toEqual(wide);
    expect(functionText(code.body()).locals).toEqual(['i32', 'i64', 'i32']);
  });

  it('keeps the names of locals by number', () => {
    const code = new FunctionCode(1);
    code.local('i64', 'RAX');
    code.local('i32');
    code.local('i32', 'rule');
    expect([...code.names]).toEqual([
      [1, 'RAX'],
      [3, 'rule'],
    ]);
  });

  it('takes constants modulo their width', () => {
    const code = new FunctionCode(0);
    code.i32(0xffff_ffff);
    code.i64(2n ** 64n - 2n);
    expect(textOf(code)).toEqual(['i32.const -1', 'i64.const -2']);
  });
});
