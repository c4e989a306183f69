// Multiboot 1 (the Multiboot Specification, version 0.6.96): the header of a kernel, and the state and information that it
// is entered with. What the specification leaves open is as QEMU's -kernel has it: where the information lies, the file
// name as first word of the command line, the GDT. The video mode is not set; APM, drives and symbols are not told.
import { ImageError } from '../error.js';
import { ramRanges } from '../state/memory.js';
import type { BootImage, ImageSegment } from './boot-image.js';
import { isElf, parseElf } from './elf.js';
import { ImageBytes } from './image-bytes.js';
import { type BootModule, multibootInformation } from './multiboot-information.js';
import { PC_GDT } from './pc-firmware.js';

/** What a multiboot image is made of. */
export interface MultibootOptions {
  readonly bytes: Uint8Array;
  /** The first word of the command line. */
  readonly fileName: string;
  /** The rest of it. */
  readonly commandLine?: string;
  readonly modules?: readonly BootModule[];
  /** Bytes of RAM of the machine: they stand in the memory map. */
  readonly memoryBytes: number;
}

/** The header, with the fields of the a.out kludge if it has them. */
export interface MultibootHeader {
  /** In the file, in bytes. */
  readonly offset: number;
  readonly flags: number;
}

const HEADER_MAGIC = 0x1bad_b002;
const BOOT_MAGIC = 0x2bad_b002n;
/** The header lies within the first 8192 bytes, on 4 bytes. */
const SEARCHED_BYTES = 8192;
const SHORTEST_HEADER = 12;
/** What a kernel may require: modules on pages (1), memory sizes (2), a video mode (4: granted by saying nothing). */
const KNOWN_REQUIREMENTS = 0x7;
const REQUIREMENTS = 0xffff;
const HAS_ADDRESSES = 0x1_0000;
const HIGHEST = 0xffff_ffff;

/** Finds the header, or undefined: a magic number whose checksum fits. */
export function findMultibootHeader(bytes: Uint8Array): MultibootHeader | undefined {
  const file = new ImageBytes(bytes, 'multiboot');
  const end = Math.min(SEARCHED_BYTES, bytes.length) - SHORTEST_HEADER;
  for (let offset = 0; offset <= end; offset += 4) {
    if (file.u32(offset, 'magic') !== HEADER_MAGIC) continue;
    const flags = file.u32(offset + 4, 'flags');
    if ((HEADER_MAGIC + flags + file.u32(offset + 8, 'checksum')) % 2 ** 32 === 0) return { offset, flags };
  }
  return undefined;
}

/**
 * The boot image of a multiboot kernel. The machine that it boots must have `memoryBytes` of RAM.
 * @throws ImageError NO_MULTIBOOT_HEADER; BAD_IMAGE_HEADER, IMAGE_TRUNCATED for a header that cannot be followed
 */
export function multibootImage(options: MultibootOptions): BootImage {
  const { bytes, fileName, commandLine = '', modules = [], memoryBytes } = options;
  const { entry, segments } = kernelOf(bytes);
  checkReach(segments);
  const ends = segments.map(({ address, bytes: contents, memoryBytes: size = contents.length }) => address + size);
  const information = multibootInformation({
    kernel: { start: Math.min(...segments.map(({ address }) => address)), end: Math.max(...ends) },
    commandLine: `${fileName} ${commandLine}`,
    modules,
    ranges: ramRanges(memoryBytes),
  });
  return {
    mode: 'protected',
    segments: [...segments, ...information.segments],
    entry,
    firmware: 'pc',
    registers: { ...PC_GDT.registers, CR0: 0x11n, RAX: BOOT_MAGIC, RBX: BigInt(information.address) },
  };
}

/** The information has 32 bits for an address. */
function checkReach(segments: readonly ImageSegment[]): void {
  for (const { address, bytes, memoryBytes = bytes.length } of segments) {
    if (address + memoryBytes <= HIGHEST) continue;
    throw new ImageError(
      'MULTIBOOT_ABOVE_4_GIB',
      { address, memoryBytes },
      `${memoryBytes} bytes of the multiboot kernel at 0x${address.toString(16)} do not end below 4 GiB`,
    );
  }
}

function kernelOf(bytes: Uint8Array): Pick<BootImage, 'entry' | 'segments'> {
  const header = findMultibootHeader(bytes);
  if (header === undefined) {
    throw new ImageError(
      'NO_MULTIBOOT_HEADER',
      { searchedBytes: SEARCHED_BYTES, fileBytes: bytes.length },
      `no multiboot header lies in the first ${SEARCHED_BYTES} bytes: 0x1badb002 on 4 bytes, with flags and a checksum that adds up to 0`,
    );
  }
  const file = new ImageBytes(bytes, 'multiboot');
  const { offset, flags } = header;
  if (flags & REQUIREMENTS & ~KNOWN_REQUIREMENTS)
    file.refuse(offset + 4, 'flags', flags, 'of the bits 15:0 those that version 1 defines, 2:0,');
  if (flags & HAS_ADDRESSES) return kludgedKernel(file, header);
  if (!isElf(bytes)) file.refuse(offset + 4, 'flags', flags, 'bit 16 (the header has addresses) or an ELF file');
  const { entry, segments } = parseElf(bytes);
  if (entry > HIGHEST) new ImageBytes(bytes, 'ELF').refuse(24, 'e_entry', entry, 'an entry below 4 GiB');
  return { entry, segments };
}

/** The a.out kludge: the header says which part of the file goes where. */
function kludgedKernel(file: ImageBytes, { offset }: MultibootHeader): { entry: number; segments: ImageSegment[] } {
  const at = (index: number, field: string) => file.u32(offset + 12 + 4 * index, field);
  const headerAddress = at(0, 'header_addr');
  const address = at(1, 'load_addr');
  const loadEnd = at(2, 'load_end_addr');
  const bssEnd = at(3, 'bss_end_addr');
  const entry = at(4, 'entry_addr');
  const start = offset - (headerAddress - address);
  if (headerAddress < address || start < 0) {
    file.refuse(
      offset + 12,
      'header_addr',
      headerAddress,
      `load_addr (0x${address.toString(16)}) plus up to 0x${offset.toString(16)}`,
    );
  }
  // 0 for the end of the load says that all of the file is loaded; for that of the bss, that there is none.
  const length = loadEnd === 0 ? file.length - start : loadEnd - address;
  if (length < 0) file.refuse(offset + 20, 'load_end_addr', loadEnd, '0 or what is not below load_addr');
  const memoryBytes = bssEnd === 0 ? length : bssEnd - address;
  if (memoryBytes < length) file.refuse(offset + 24, 'bss_end_addr', bssEnd, '0 or what is not below load_end_addr');
  const bytes = file.piece(start, length, 'the part that load_addr to load_end_addr names');
  return { entry, segments: [{ address, bytes, ...(memoryBytes === length ? {} : { memoryBytes }), what: 'kernel' }] };
}
