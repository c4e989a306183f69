import { describe, expect, it } from 'vitest';
import { elfSymbols } from '../../src/boot/elf-symbols.js';
import { elfFile } from '../support/elf-file.js';

interface TestSymbol {
  readonly name: string;
  readonly value: bigint;
  /** STT_FUNC if it is not said. */
  readonly kind?: number;
  /** 0: undefined. */
  readonly section?: number;
}

/** An executable with a symbol table behind it: a null section, the symbols, their names. */
function withSymbols(width: 32 | 64, symbols: readonly TestSymbol[]): Uint8Array {
  const wide = width === 64;
  const program = elfFile({ width, entry: 0x10_0000n, segments: [{ address: 0x10_0000, bytes: [0xf4] }] });
  const names = Buffer.from(`\0${symbols.map(({ name }) => `${name}\0`).join('')}`, 'latin1');
  const [symbolBytes, sectionBytes] = wide ? [24, 64] : [16, 40];
  const symbolsAt = program.length;
  const namesAt = symbolsAt + symbolBytes * symbols.length;
  const sectionsAt = namesAt + names.length;
  const file = new Uint8Array(sectionsAt + 3 * sectionBytes);
  const view = new DataView(file.buffer);
  const word = (at: number, value: number): void =>
    wide ? view.setBigUint64(at, BigInt(value), true) : view.setUint32(at, value, true);
  file.set(program);
  word(wide ? 40 : 32, sectionsAt);
  view.setUint16(wide ? 58 : 46, sectionBytes, true);
  view.setUint16(wide ? 60 : 48, 3, true);
  let name = 1;
  for (const [index, symbol] of symbols.entries()) {
    const at = symbolsAt + index * symbolBytes;
    view.setUint32(at, name, true);
    file[at + (wide ? 4 : 12)] = 0x10 | (symbol.kind ?? 2);
    view.setUint16(at + (wide ? 6 : 14), symbol.section ?? 1, true);
    if (wide) view.setBigUint64(at + 8, symbol.value, true);
    else view.setUint32(at + 4, Number(symbol.value), true);
    name += symbol.name.length + 1;
  }
  file.set(names, namesAt);
  const section = (index: number, type: number, offset: number, size: number, link: number): void => {
    const at = sectionsAt + index * sectionBytes;
    view.setUint32(at + 4, type, true);
    word(at + (wide ? 24 : 16), offset);
    word(at + (wide ? 32 : 20), size);
    view.setUint32(at + (wide ? 40 : 24), link, true);
  };
  section(1, 2, symbolsAt, symbolBytes * symbols.length, 2);
  section(2, 3, namesAt, names.length, 0);
  return file;
}

describe.each([32, 64] as const)('elfSymbols of an ELF file of %i bits', (width) => {
  it('gives labels, functions and objects with their values', () => {
    const symbols = elfSymbols(
      withSymbols(width, [
        { name: 'start', value: 0x10_0000n, kind: 0 },
        { name: 'main', value: 0x10_0010n },
        { name: 'table', value: 0x10_1000n, kind: 1 },
      ]),
    );
    expect([...symbols]).toEqual([
      ['start', 0x10_0000n],
      ['main', 0x10_0010n],
      ['table', 0x10_1000n],
    ]);
  });

  it('leaves out files, sections and what is defined elsewhere, and takes the first of equal names', () => {
    const symbols = elfSymbols(
      withSymbols(width, [
        { name: 'main.c', value: 0n, kind: 4 },
        { name: 'elsewhere', value: 0n, section: 0 },
        { name: 'local', value: 1n },
        { name: 'local', value: 2n },
      ]),
    );
    expect([...symbols]).toEqual([['local', 1n]]);
  });

  it('refuses a table that lies outside of the file', () => {
    const file = withSymbols(width, [{ name: 'main', value: 1n }]);
    expect(() => elfSymbols(file.subarray(0, file.length - 40))).toThrow(
      expect.objectContaining({ code: 'IMAGE_TRUNCATED' }),
    );
  });

  it('finds none in a file without sections', () => {
    const file = elfFile({ width, entry: 0n, segments: [{ address: 0, bytes: [0xf4] }] });
    expect(elfSymbols(file).size).toBe(0);
  });
});
