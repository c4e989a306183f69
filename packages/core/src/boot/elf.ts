// ELF executables, 32 and 64 bits wide (System V ABI, "ELF Header" and "Program Header"): where their segments are loaded
// and where they are entered. Sections, symbols and relocations are not looked at: a loader has no use for them.
import type { ImageSegment } from './boot-image.js';
import { ImageBytes } from './image-bytes.js';

/** An executable as a loader sees it. Addresses are physical. */
export interface ElfProgram {
  readonly width: 32 | 64;
  /**
   * Where it is entered. An entry that lies in an executable segment with a linear address of its own is moved to where
   * the segment is loaded.
   */
  readonly entry: number;
  readonly segments: readonly ImageSegment[];
}

/** Offsets of the fields that are read; the classes differ in the width of addresses and in order. */
interface Layout {
  readonly wide: boolean;
  readonly entry: number;
  readonly programHeaders: number;
  readonly headerBytes: number;
  readonly headerCount: number;
  readonly flags: number;
  readonly offset: number;
  readonly linear: number;
  readonly physical: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
  readonly smallestHeader: number;
}

const LAYOUTS: Readonly<Record<32 | 64, Layout>> = {
  32: {
    wide: false,
    entry: 24,
    programHeaders: 28,
    headerBytes: 42,
    headerCount: 44,
    flags: 24,
    offset: 4,
    linear: 8,
    physical: 12,
    fileBytes: 16,
    memoryBytes: 20,
    smallestHeader: 32,
  },
  64: {
    wide: true,
    entry: 24,
    programHeaders: 32,
    headerBytes: 54,
    headerCount: 56,
    flags: 4,
    offset: 8,
    linear: 16,
    physical: 24,
    fileBytes: 32,
    memoryBytes: 40,
    smallestHeader: 56,
  },
};

const MAGIC = [0x7f, 0x45, 0x4c, 0x46] as const;
/** EI_CLASS, EI_DATA, e_type, e_machine. */
const CLASS_OFFSET = 4;
const DATA_OFFSET = 5;
const TYPE_OFFSET = 16;
const MACHINE_OFFSET = 18;
const WIDTHS: Readonly<Record<number, 32 | 64>> = { 1: 32, 2: 64 };
const LITTLE_ENDIAN = 1;
const ET_EXEC = 2;
const ET_DYN = 3;
const EM_386 = 3;
const EM_X86_64 = 62;
const PT_LOAD = 1;
const PF_X = 1;
const HIGHEST_PHYSICAL = 2n ** 52n - 1n;

interface LoadedSegment extends ImageSegment {
  readonly linear: bigint;
  readonly executable: boolean;
}

/** Whether a file begins as an ELF file does. */
export function isElf(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, index) => bytes[index] === byte);
}

/**
 * Reads the program headers of an executable for x86.
 * @throws ImageError BAD_IMAGE_HEADER, IMAGE_TRUNCATED: with the offset, the value and what is accepted
 */
export function parseElf(bytes: Uint8Array): ElfProgram {
  const file = new ImageBytes(bytes, 'ELF');
  const width = checkedWidth(file, bytes);
  const layout = LAYOUTS[width];
  const segments = [...programHeaders(file, layout)].flatMap((header) => loadedSegment(file, layout, header));
  if (segments.length === 0)
    file.refuse(layout.headerCount, 'e_phnum', 0, 'at least one segment that is loaded (PT_LOAD)');
  return {
    width,
    entry: physicalEntry(file, layout, segments),
    segments: segments.map(({ address, bytes: contents, memoryBytes }) => ({
      address,
      bytes: contents,
      ...(memoryBytes === undefined ? {} : { memoryBytes }),
      what: 'kernel',
    })),
  };
}

function checkedWidth(file: ImageBytes, bytes: Uint8Array): 32 | 64 {
  const [kind = 0, data = 0] = file.piece(CLASS_OFFSET, 2, 'e_ident');
  const width = WIDTHS[kind] ?? file.refuse(CLASS_OFFSET, 'EI_CLASS', kind, '1 (32 bits) or 2 (64 bits)');
  if (data !== LITTLE_ENDIAN) file.refuse(DATA_OFFSET, 'EI_DATA', bytes[DATA_OFFSET] ?? 0, '1 (little-endian)');
  const type = file.u16(TYPE_OFFSET, 'e_type');
  if (type !== ET_EXEC && type !== ET_DYN)
    file.refuse(TYPE_OFFSET, 'e_type', type, '2 (executable) or 3 (position-independent executable)');
  const machine = file.u16(MACHINE_OFFSET, 'e_machine');
  if (machine !== EM_386 && machine !== EM_X86_64)
    file.refuse(MACHINE_OFFSET, 'e_machine', machine, '3 (80386) or 0x3e (x86-64)');
  return width;
}

/** The offsets of the program headers. */
function* programHeaders(file: ImageBytes, layout: Layout): IterableIterator<number> {
  const first = fileNumber(file, layout, layout.programHeaders, 'e_phoff');
  const size = file.u16(layout.headerBytes, 'e_phentsize');
  const count = file.u16(layout.headerCount, 'e_phnum');
  if (count > 0 && size < layout.smallestHeader)
    file.refuse(layout.headerBytes, 'e_phentsize', size, `0x${layout.smallestHeader.toString(16)} or more`);
  for (let index = 0; index < count; index++) yield first + index * size;
}

function loadedSegment(file: ImageBytes, layout: Layout, header: number): readonly LoadedSegment[] {
  if (file.u32(header, 'p_type') !== PT_LOAD) return [];
  const offset = fileNumber(file, layout, header + layout.offset, 'p_offset');
  const fileBytes = fileNumber(file, layout, header + layout.fileBytes, 'p_filesz');
  const memoryBytes = fileNumber(file, layout, header + layout.memoryBytes, 'p_memsz');
  if (memoryBytes < fileBytes)
    file.refuse(header + layout.memoryBytes, 'p_memsz', memoryBytes, `p_filesz (0x${fileBytes.toString(16)}) or more`);
  if (memoryBytes === 0) return [];
  return [
    {
      address: fileNumber(file, layout, header + layout.physical, 'p_paddr'),
      bytes: file.piece(offset, fileBytes, 'a segment'),
      ...(memoryBytes === fileBytes ? {} : { memoryBytes }),
      linear: address(file, layout, header + layout.linear, 'p_vaddr'),
      executable: (file.u32(header + layout.flags, 'p_flags') & PF_X) !== 0,
    },
  ];
}

function physicalEntry(file: ImageBytes, layout: Layout, segments: readonly LoadedSegment[]): number {
  const linear = address(file, layout, layout.entry, 'e_entry');
  const home = segments.find(
    (segment) =>
      segment.executable &&
      linear >= segment.linear &&
      linear < segment.linear + BigInt(segment.memoryBytes ?? segment.bytes.length),
  );
  const physical = home === undefined ? linear : linear - home.linear + BigInt(home.address);
  if (physical > HIGHEST_PHYSICAL)
    file.refuse(layout.entry, 'e_entry', linear, 'an address in an executable segment, or a physical one (52 bits)');
  return Number(physical);
}

function address(file: ImageBytes, { wide }: Layout, offset: number, field: string): bigint {
  return wide ? file.u64(offset, field) : BigInt(file.u32(offset, field));
}

/** A physical address, an offset or a size: 52 bits at most, so that a number holds it exactly. */
function fileNumber(file: ImageBytes, layout: Layout, offset: number, field: string): number {
  const value = address(file, layout, offset, field);
  return value <= HIGHEST_PHYSICAL ? Number(value) : file.refuse(offset, field, value, 'up to 0xfffffffffffff');
}
