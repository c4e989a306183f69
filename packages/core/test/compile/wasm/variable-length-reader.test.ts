import { describe, expect, it } from 'vitest';
import { VariableLengthReader } from '../../../src/compile/wasm/variable-length-reader.js';

describe('VariableLengthReader', () => {
  it('reads one value behind the other and knows where it is', () => {
    const reader = new VariableLengthReader([0xe5, 0x8e, 0x26, 0x41, 0x9b, 0xf1, 0x59]);
    expect([reader.unsigned(), reader.at]).toEqual([624_485, 3]);
    expect([reader.byte(), reader.at]).toEqual([0x41, 4]);
    expect([reader.signed(), reader.at, reader.isAtEnd]).toEqual([-624_485n, 7, true]);
  });

  it('does not read over the end', () => {
    const reader = new VariableLengthReader([0x80]);
    expect(() => reader.unsigned()).toThrow('generated code ends in the middle of an instruction');
  });
});
