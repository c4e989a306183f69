import { expect, it } from 'vitest';
import { jsonText, toJson } from '../../src/output/json.js';

it('writes 64-bit values as hexadecimal text and leaves numbers alone', () => {
  expect(toJson({ value: 0xffff_ffff_ffff_ffffn, position: 3 })).toEqual({ value: '0xffffffffffffffff', position: 3 });
});

it('writes bytes in order of address', () => {
  expect(toJson(Uint8Array.of(0x0f, 0x01))).toEqual({ bytes: '0f01' });
});

it('leaves out what is undefined and keeps null', () => {
  expect(jsonText({ a: undefined, b: null, c: [undefined] }, 0)).toBe('{"b":null,"c":[null]}');
});

it('writes maps as objects', () => {
  expect(toJson(new Map([[1, 2n]]))).toEqual({ '1': '0x2' });
});
