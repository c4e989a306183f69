import { describe, expect, it } from 'vitest';
import { OPCODES } from '../../../src/compile/wasm/opcodes.js';

describe('OPCODES', () => {
  it('gives each name an opcode of its own, without a prefix or with that of vectors', () => {
    const codes = Object.values(OPCODES).map(([code]) => code);
    expect(new Set(codes).size).toBe(codes.length);
    for (const code of codes) expect(code <= 0xff || (code >= 0xfd00 && code <= 0xfdff)).toBe(true);
  });
});
