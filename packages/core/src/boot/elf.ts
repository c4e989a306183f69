// Executable and Linkable Format, as far as a loader needs it: class, entry and what is loaded where. Sections, symbols and
// relocations are left out.
import { ImageError } from '../error.js';
import type { ImageSegment } from './boot-image.js';

/** What of an ELF file is loaded. */
export interface ElfImage {
  readonly bits: 32 | 64;
  readonly entry: number;
  /** By physical address; zero fill is not among the bytes. */
  readonly segments: readonly ImageSegment[];
  /** Past the last byte that is taken, zero fill included. */
  readonly end: number;
}

const MAGIC = 0x464c_457f;
const LITTLE_ENDIAN = 1;
const PT_LOAD = 1;
/** By e_machine: Intel 80386, AMD x86-64. */
const MACHINES: Readonly<Record<number, string>> = { 3: 'i386', 62: 'x86-64' };

/** Offsets of what is read; a field of `wide` has 8 bytes in a file of 64 bits, 4 in one of 32. */
const LAYOUT = {
  32: {
    headerBytes: 52,
    entry: 24,
    phoff: 28,
    phentsize: 42,
    phnum: 44,
    entryBytes: 32,
    offset: 4,
    physical: 12,
    fileBytes: 16,
    memoryBytes: 20,
  },
  64: {
    headerBytes: 64,
    entry: 24,
    phoff: 32,
    phentsize: 54,
    phnum: 56,
    entryBytes: 56,
    offset: 8,
    physical: 24,
    fileBytes: 32,
    memoryBytes: 40,
  },
} as const;

/** Whether a file says that it is ELF. */
export const isElf = (file: Uint8Array): boolean => file.length >= 4 && viewOf(file).getUint32(0, true) === MAGIC;

const viewOf = (file: Uint8Array): DataView => new DataView(file.buffer, file.byteOffset, file.byteLength);

/**
 * Reads an ELF file for an x86 processor.
 * @throws ImageError ELF_FORMAT that names the field, its offset, what is there and what is accepted
 */
export function readElf(file: Uint8Array): ElfImage {
  const fields = new ElfFields(file);
  fields.expect('magic', 0, 4, [MAGIC]);
  const bits = fields.expect('class', 4, 1, [1, 2]) === 1 ? 32 : 64;
  fields.expect('data encoding', 5, 1, [LITTLE_ENDIAN]);
  const layout = LAYOUT[bits];
  fields.expect('machine', 18, 2, Object.keys(MACHINES).map(Number));
  const tableOffset = fields.address('e_phoff', layout.phoff, bits);
  const count = fields.number('e_phnum', layout.phnum, 2);
  const size = fields.number('e_phentsize', layout.phentsize, 2);
  if (count > 0 && size < layout.entryBytes)
    fields.refuse('e_phentsize', layout.phentsize, size, `${layout.entryBytes} or more`);
  const segments: ImageSegment[] = [];
  let end = 0;
  for (let index = 0; index < count; index++) {
    const at = tableOffset + index * size;
    if (fields.number('p_type', at, 4) !== PT_LOAD) continue;
    const [offset, physical, fileBytes, memoryBytes] = (
      ['offset', 'physical', 'fileBytes', 'memoryBytes'] as const
    ).map((field) => fields.address(`p_${field} of program header ${index}`, at + layout[field], bits)) as [
      number,
      number,
      number,
      number,
    ];
    if (offset + fileBytes > file.length)
      fields.refuse(
        `p_filesz of program header ${index}`,
        at + layout.fileBytes,
        fileBytes,
        `up to the end of the file, ${file.length}`,
      );
    if (memoryBytes < fileBytes)
      fields.refuse(`p_memsz of program header ${index}`, at + layout.memoryBytes, memoryBytes, `${fileBytes} or more`);
    if (fileBytes > 0) segments.push({ address: physical, bytes: file.subarray(offset, offset + fileBytes) });
    end = Math.max(end, physical + memoryBytes);
  }
  if (segments.length === 0)
    fields.refuse('e_phnum', layout.phnum, count, 'a program header of type PT_LOAD with bytes');
  return { bits, entry: fields.address('e_entry', layout.entry, bits), segments, end };
}

/** Fields of a file by offset: those beyond its end are an error that names them. */
class ElfFields {
  readonly #view: DataView;

  constructor(file: Uint8Array) {
    this.#view = viewOf(file);
  }

  number(field: string, offset: number, bytes: 1 | 2 | 4): number {
    if (offset + bytes > this.#view.byteLength) this.refuse(field, offset, 'the end of the file', `${bytes} bytes`);
    if (bytes === 1) return this.#view.getUint8(offset);
    return bytes === 2 ? this.#view.getUint16(offset, true) : this.#view.getUint32(offset, true);
  }

  /** An address or size, which must be a safe integer: no physical address needs more. */
  address(field: string, offset: number, bits: 32 | 64): number {
    const low = this.number(field, offset, 4);
    if (bits === 32) return low;
    const value = this.number(field, offset + 4, 4) * 2 ** 32 + low;
    return Number.isSafeInteger(value) ? value : this.refuse(field, offset, value, 'less than 2^53');
  }

  expect(field: string, offset: number, bytes: 1 | 2 | 4, accepted: readonly number[]): number {
    const value = this.number(field, offset, bytes);
    return accepted.includes(value) ? value : this.refuse(field, offset, value, accepted.join(' or '));
  }

  refuse(field: string, offset: number, found: unknown, accepted: string): never {
    throw new ImageError(
      'ELF_FORMAT',
      { field, offset, found, accepted },
      `${field} at offset ${offset} of the ELF file is ${String(found)}: ${accepted} is accepted`,
    );
  }
}
