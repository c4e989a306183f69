// Multiboot Specification version 0.6.96 (multiboot 1): the header that marks a kernel, and the machine that it is entered
// on. Left out: video modes, drives, symbols and the APM table, which the flags of the information say are not there.
import { ImageError } from '../error.js';
import type { BootImage, ImageSegment } from './boot-image.js';
import { isElf, readElf } from './elf.js';
import { memoryMap, usableBelow4Gib } from './memory-map.js';

/** What goes with a kernel. */
export interface MultibootOptions {
  /** The kernel's file name and what follows it. */
  readonly commandLine: string;
  readonly modules?: readonly MultibootModule[];
  /** Bytes of RAM that the machine will have. */
  readonly memory: number;
}

/** A module: its bytes, and its own command line. */
export interface MultibootModule {
  readonly bytes: Uint8Array;
  readonly commandLine: string;
}

const HEADER_MAGIC = 0x1bad_b002;
const LOADER_MAGIC = 0x2bad_b002n;
const SEARCHED_BYTES = 8192;
const HEADER_BYTES = 12;
/** Bits of the header's flags. */
const FLAG = { pageAlignModules: 1, memoryInfo: 2, videoMode: 4, addresses: 1 << 16 } as const;
/** A loader must refuse a kernel that asks for what it does not know, in bits 15:0. */
const UNKNOWN = 0xffff & ~(FLAG.pageAlignModules | FLAG.memoryInfo | FLAG.videoMode);
const PAGE = 0x1000;
/** Where the information lies if the kernel leaves room: below 640 KiB, above what the boot loader itself keeps there. */
const INFORMATION = 0x9000;
const LOW_MEMORY_END = 0x9_0000;

interface Header {
  readonly offset: number;
  readonly flags: number;
}

/** What is loaded of a kernel. */
interface Payload {
  readonly segments: readonly ImageSegment[];
  readonly entry: number;
  readonly end: number;
}

/** Whether a file has a multiboot header in its first 8192 bytes. */
export const isMultiboot = (file: Uint8Array): boolean => findHeader(file) !== undefined;

function findHeader(file: Uint8Array): Header | undefined {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const last = Math.min(file.length, SEARCHED_BYTES) - HEADER_BYTES;
  for (let offset = 0; offset <= last; offset += 4) {
    const [magic, flags, checksum] = [0, 4, 8].map((at) => view.getUint32(offset + at, true)) as [
      number,
      number,
      number,
    ];
    if (magic === HEADER_MAGIC && (magic + flags + checksum) >>> 0 === 0) return { offset, flags };
  }
  return undefined;
}

/**
 * A multiboot kernel, ready to be entered: 32-bit protected mode, paging off, EAX and EBX as the specification says.
 * @throws ImageError MULTIBOOT_HEADER, MULTIBOOT_SPACE or ELF_FORMAT
 */
export function multibootImage(file: Uint8Array, options: MultibootOptions): BootImage {
  const header = findHeader(file);
  if (header === undefined)
    throw new ImageError(
      'MULTIBOOT_HEADER',
      { searched: SEARCHED_BYTES },
      `no multiboot header with a right checksum is in the first ${SEARCHED_BYTES} bytes`,
    );
  if ((header.flags & UNKNOWN) !== 0)
    throw new ImageError(
      'MULTIBOOT_HEADER',
      { offset: header.offset, flags: header.flags },
      `the multiboot header at offset ${header.offset} asks for 0x${(header.flags & UNKNOWN).toString(16)} in its flags: bits 0, 1, 2 and 16 are known`,
    );
  const payload = (header.flags & FLAG.addresses) !== 0 ? fromAddresses(file, header) : fromElf(file);
  const modules = placeModules(payload, options);
  const taken = [...payload.segments, ...modules.map(({ segment }) => segment)];
  const information = placedInformation(options, modules, (bytes) => roomFor(bytes, payload, taken, options.memory));
  return {
    mode: 'protected',
    segments: [...payload.segments, ...modules.map(({ segment }) => segment), information],
    entry: payload.entry >>> 0,
    registers: { RAX: LOADER_MAGIC, RBX: BigInt(information.address) },
  };
}

function fromElf(file: Uint8Array): Payload {
  if (isElf(file)) return readElf(file);
  throw new ImageError(
    'MULTIBOOT_HEADER',
    { flag: 16 },
    'the multiboot header has no addresses (flag 16 is 0) and the file is no ELF file: one of them must say where to load',
  );
}

/** The header's own addresses, which older kernels have in a.out files: they go before what an ELF header says. */
function fromAddresses(file: Uint8Array, { offset }: Header): Payload {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const field = (index: number): number => {
    const at = offset + HEADER_BYTES + index * 4;
    if (at + 4 <= file.length) return view.getUint32(at, true);
    return refuseAddresses(offset, 'the header is cut off by the end of the file');
  };
  const [header, load, loadEnd, bssEnd, entry] = [0, 1, 2, 3, 4].map(field) as [number, number, number, number, number];
  const start = offset - (header - load);
  if (start < 0 || load > header)
    refuseAddresses(offset, `load_addr 0x${load.toString(16)} is before the start of the file`);
  const bytes = loadEnd === 0 ? file.length - start : loadEnd - load;
  if (bytes < 0 || start + bytes > file.length)
    refuseAddresses(offset, `load_end_addr 0x${loadEnd.toString(16)} is beyond the end of the file`);
  const end = bssEnd === 0 ? load + bytes : bssEnd;
  if (end < load + bytes) refuseAddresses(offset, `bss_end_addr 0x${bssEnd.toString(16)} is before load_end_addr`);
  return { segments: [{ address: load, bytes: file.subarray(start, start + bytes) }], entry, end };
}

function refuseAddresses(offset: number, why: string): never {
  throw new ImageError(
    'MULTIBOOT_HEADER',
    { offset, why },
    `the addresses of the multiboot header at offset ${offset} cannot be used: ${why}`,
  );
}

interface PlacedModule {
  readonly segment: ImageSegment;
  readonly commandLine: string;
}

const pageAligned = (address: number): number => Math.ceil(address / PAGE) * PAGE;

/** Modules follow the kernel, each on a page boundary. */
function placeModules({ end }: Payload, { modules = [], memory }: MultibootOptions): readonly PlacedModule[] {
  let next = pageAligned(Math.max(end, 0x10_0000));
  return modules.map(({ bytes, commandLine }) => {
    const address = next;
    next = pageAligned(address + bytes.length);
    if (address + bytes.length > usableBelow4Gib(memory))
      throw new ImageError(
        'MULTIBOOT_SPACE',
        { module: commandLine, bytes: bytes.length, address, memory },
        `the module ${commandLine} of ${bytes.length} bytes does not fit behind the kernel in ${memory} bytes of memory`,
      );
    return { segment: { address, bytes }, commandLine };
  });
}

/** Fields that the information has: memory, boot device, command line, modules, memory map, name of the loader. */
const PRESENT = { memory: 1, bootDevice: 2, commandLine: 4, modules: 8, memoryMap: 1 << 6, loader: 1 << 9 } as const;
const LOADER_NAME = 'retrovisor';
const INFORMATION_BYTES = 88;
const MODULE_BYTES = 16;
/** A size field that does not count itself, then base, length and type. */
const MAP_ENTRY_BYTES = 24;
/** The first hard disk, no partition. */
const BOOT_DEVICE = 0x8000_ffff;

/** The first place for some bytes: in low memory, behind what the kernel loads there, or behind everything. */
function roomFor(bytes: number, { end }: Payload, taken: readonly ImageSegment[], memory: number): number {
  const ends = taken.map((segment) => segment.address + segment.bytes.length);
  const behind = pageAligned(Math.max(end, ...ends));
  const isFree = (start: number) =>
    taken.every((segment) => start + bytes <= segment.address || segment.address + segment.bytes.length <= start);
  const low = [INFORMATION, ...(end <= LOW_MEMORY_END ? [pageAligned(end)] : [])];
  const found = low.find((start) => start + bytes <= LOW_MEMORY_END && isFree(start)) ?? behind;
  if (found + bytes <= usableBelow4Gib(memory)) return found;
  throw new ImageError(
    'MULTIBOOT_SPACE',
    { bytes, memory },
    `the multiboot information needs ${bytes} bytes, which ${memory} bytes of memory do not have beside the kernel`,
  );
}

/** The information structure with everything that it points to, as one segment. */
function placedInformation(
  { commandLine, memory }: MultibootOptions,
  modules: readonly PlacedModule[],
  roomOf: (bytes: number) => number,
): ImageSegment {
  const encoder = new TextEncoder();
  const strings = [commandLine, LOADER_NAME, ...modules.map((module) => module.commandLine)].map((text) =>
    encoder.encode(`${text}\0`),
  );
  const map = memoryMap(memory);
  const moduleList = INFORMATION_BYTES;
  const mapStart = moduleList + modules.length * MODULE_BYTES;
  const stringStart = mapStart + map.length * MAP_ENTRY_BYTES;
  const length = strings.reduce((sum, { length: bytes }) => sum + bytes, stringStart);
  const address = roomOf(length);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  const put = (offset: number, ...values: readonly number[]) => {
    for (const [index, value] of values.entries()) view.setUint32(offset + index * 4, value, true);
  };
  let at = stringStart;
  const placed = strings.map((text) => {
    bytes.set(text, at);
    at += text.length;
    return address + at - text.length;
  });
  const [ownLine = 0, loader = 0, ...moduleLines] = placed;
  const lower = 639;
  const upper = Math.floor((usableBelow4Gib(memory) - 0x10_0000) / 1024);
  put(
    0,
    Object.values(PRESENT).reduce((flags, flag) => flags | flag),
    lower,
    Math.max(0, upper),
    BOOT_DEVICE,
    ownLine,
  );
  put(20, modules.length, address + moduleList);
  put(44, map.length * MAP_ENTRY_BYTES, address + mapStart);
  put(64, loader);
  for (const [index, { segment }] of modules.entries()) {
    const end = segment.address + segment.bytes.length;
    put(moduleList + index * MODULE_BYTES, segment.address, end, moduleLines[index] ?? 0, 0);
  }
  for (const [index, { start, end, type }] of map.entries()) {
    const entry = mapStart + index * MAP_ENTRY_BYTES;
    put(entry, MAP_ENTRY_BYTES - 4);
    view.setBigUint64(entry + 4, BigInt(start), true);
    view.setBigUint64(entry + 12, BigInt(end - start), true);
    put(entry + 20, type);
  }
  return { address, bytes };
}
