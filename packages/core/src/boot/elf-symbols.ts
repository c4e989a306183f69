// The symbol table of an ELF file (System V ABI, "Symbol Table"): names of code and data, for those who look at a guest. It
// is not loaded, and a guest runs without; debug information is not read.
import { ImageBytes } from './image-bytes.js';

/** Offsets of the fields that are read, in the header of the file, of a section, and in a symbol. */
interface Layout {
  readonly wide: boolean;
  readonly sections: number;
  readonly sectionBytes: number;
  readonly sectionCount: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly symbolBytes: number;
  readonly value: number;
  readonly info: number;
  readonly definedIn: number;
}

const LAYOUTS: Readonly<Record<number, Layout>> = {
  1: {
    wide: false,
    sections: 32,
    sectionBytes: 46,
    sectionCount: 48,
    offset: 16,
    size: 20,
    link: 24,
    symbolBytes: 16,
    value: 4,
    info: 12,
    definedIn: 14,
  },
  2: {
    wide: true,
    sections: 40,
    sectionBytes: 58,
    sectionCount: 60,
    offset: 24,
    size: 32,
    link: 40,
    symbolBytes: 24,
    value: 8,
    info: 4,
    definedIn: 6,
  },
};
const CLASS_OFFSET = 4;
const TYPE_OFFSET = 4;
const SHT_SYMTAB = 2;
/** STT_NOTYPE, STT_OBJECT, STT_FUNC: what an assembler and a compiler make of a label. */
const KINDS = [0, 1, 2];

/**
 * Symbols by name, with their values: linear addresses. The first of equal names. Empty if the file has none.
 * @throws ImageError IMAGE_TRUNCATED for a table that lies outside of the file
 */
export function elfSymbols(bytes: Uint8Array): ReadonlyMap<string, bigint> {
  const file = new ImageBytes(bytes, 'ELF');
  const layout = LAYOUTS[bytes[CLASS_OFFSET] ?? 0];
  const symbols = new Map<string, bigint>();
  if (layout === undefined) return symbols;
  const word = (offset: number, field: string): number =>
    layout.wide ? Number(file.u64(offset, field)) : file.u32(offset, field);
  const table = word(layout.sections, 'e_shoff');
  const [size, count] = [file.u16(layout.sectionBytes, 'e_shentsize'), file.u16(layout.sectionCount, 'e_shnum')];
  const section = (index: number): Uint8Array => {
    const header = table + index * size;
    return file.piece(
      word(header + layout.offset, 'sh_offset'),
      word(header + layout.size, 'sh_size'),
      `section ${index}`,
    );
  };
  for (let index = 0; index < count; index++) {
    const header = table + index * size;
    if (file.u32(header + TYPE_OFFSET, 'sh_type') !== SHT_SYMTAB) continue;
    const names = section(file.u32(header + layout.link, 'sh_link'));
    for (const [name, value] of symbolsIn(new ImageBytes(section(index), 'ELF'), names, layout))
      if (!symbols.has(name)) symbols.set(name, value);
  }
  return symbols;
}

function* symbolsIn(table: ImageBytes, names: Uint8Array, layout: Layout): Iterable<readonly [string, bigint]> {
  for (let at = 0; at + layout.symbolBytes <= table.length; at += layout.symbolBytes) {
    const [info = 0] = table.piece(at + layout.info, 1, 'st_info');
    const name = textAt(names, table.u32(at, 'st_name'));
    const value = layout.wide
      ? table.u64(at + layout.value, 'st_value')
      : BigInt(table.u32(at + layout.value, 'st_value'));
    const isDefined = table.u16(at + layout.definedIn, 'st_shndx') !== 0;
    if (name !== '' && isDefined && KINDS.includes(info & 0xf)) yield [name, value];
  }
}

function textAt(names: Uint8Array, start: number): string {
  const end = names.indexOf(0, start);
  return String.fromCharCode(...names.subarray(start, end < 0 ? undefined : end));
}
