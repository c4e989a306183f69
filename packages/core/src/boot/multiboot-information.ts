// The information that EBX points to (the Multiboot Specification, "Boot information format"), as bytes in memory. Modules
// and texts follow the kernel on page boundaries; the structure and the memory map lie at 9000H, unless the kernel does.
import type { PhysicalRange } from '../state/memory.js';
import type { ImageSegment } from './boot-image.js';
import { FIRMWARE_LAYOUT, memoryMap, memorySizes } from './memory-map.js';

/** A file that is handed to the kernel, with the text that goes with it: its name and arguments. */
export interface BootModule {
  readonly text: string;
  readonly bytes: Uint8Array;
}

const PAGE = 4096;
const MIB = 2 ** 20;
const INFORMATION = 0x9000;
const INFORMATION_BYTES = 88;
const MODULE_BYTES = 16;
/** An entry of the map: its own size without this field (20), base, length, type. */
const MAP_ENTRY_BYTES = 24;
/** Memory sizes, boot device, command line, modules, memory map, name of the loader. */
const FLAGS = 0x24f;
/** The first hard disk, no partition. */
const BOOT_DEVICE = 0x8000_ffff;
const LOADER_NAME = 'retrovisor';

/** The structure with everything that it points to. */
export function multibootInformation({
  kernel,
  commandLine,
  modules,
  ranges,
}: {
  readonly kernel: PhysicalRange;
  readonly commandLine: string;
  readonly modules: readonly BootModule[];
  readonly ranges: readonly PhysicalRange[];
}): { readonly address: number; readonly segments: readonly ImageSegment[] } {
  const texts = [commandLine, LOADER_NAME, ...modules.map(({ text }) => text)].map(zeroTerminated);
  const tableBytes = modules.length * MODULE_BYTES;
  const table = placeAfter(kernel.end, tableBytes + sum(texts));
  const addresses = running(table + tableBytes, texts);
  const [commandLineAddress = 0, loaderName = 0, ...moduleTexts] = addresses;
  const loaded = placeModules(table + tableBytes + sum(texts), modules);
  const afterModules = loaded.at(-1);
  const map = encodeMemoryMap(ranges);
  const address = isFree(kernel, map.length + INFORMATION_BYTES)
    ? INFORMATION
    : placeAfter(
        afterModules === undefined ? table + tableBytes + sum(texts) : afterModules.address + afterModules.bytes.length,
        map.length + INFORMATION_BYTES,
      );
  const { lower, upper } = memorySizes(ranges);
  const information = words(INFORMATION_BYTES, {
    0: FLAGS,
    4: lower,
    8: upper,
    12: BOOT_DEVICE,
    16: commandLineAddress,
    20: modules.length,
    24: modules.length === 0 ? 0 : table,
    44: map.length,
    48: address + INFORMATION_BYTES,
    64: loaderName,
  });
  const entries = loaded.map((module, index) =>
    words(MODULE_BYTES, {
      0: module.address,
      4: module.address + module.bytes.length,
      8: moduleTexts[index] ?? 0,
    }),
  );
  return {
    address,
    segments: [
      { address: table, bytes: joined([...entries, ...texts]), what: 'multiboot texts' },
      ...loaded,
      { address, bytes: joined([information, map]), what: 'multiboot information' },
    ],
  };
}

/** The next page boundary at which so many bytes fit: not in what a PC has between its base memory and 1 MiB. */
function placeAfter(address: number, bytes: number): number {
  const place = Math.ceil(address / PAGE) * PAGE;
  return place < MIB && place + bytes > FIRMWARE_LAYOUT.extendedBiosDataArea.start ? MIB : place;
}

function placeModules(after: number, modules: readonly BootModule[]): readonly ImageSegment[] {
  let end = after;
  return modules.map(({ bytes }) => {
    const address = placeAfter(end, bytes.length);
    end = address + bytes.length;
    return { address, bytes, what: 'module' };
  });
}

function isFree(kernel: PhysicalRange, bytes: number): boolean {
  return kernel.end <= INFORMATION || kernel.start >= INFORMATION + bytes;
}

function encodeMemoryMap(ranges: readonly PhysicalRange[]): Uint8Array {
  const map = memoryMap(ranges);
  const view = new DataView(new ArrayBuffer(map.length * MAP_ENTRY_BYTES));
  for (const [index, { start, end, type }] of map.entries()) {
    const at = index * MAP_ENTRY_BYTES;
    view.setUint32(at, MAP_ENTRY_BYTES - 4, true);
    view.setBigUint64(at + 4, BigInt(start), true);
    view.setBigUint64(at + 12, BigInt(end - start), true);
    view.setUint32(at + 20, type, true);
  }
  return new Uint8Array(view.buffer);
}

/** Doublewords by offset in so many bytes. */
function words(bytes: number, values: Readonly<Record<number, number>>): Uint8Array {
  const view = new DataView(new ArrayBuffer(bytes));
  for (const [offset, value] of Object.entries(values)) view.setUint32(Number(offset), value, true);
  return new Uint8Array(view.buffer);
}

function zeroTerminated(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\0`);
}

function sum(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((total, { length }) => total + length, 0);
}

/** Where each piece begins when they lie one after the other. */
function running(start: number, pieces: readonly Uint8Array[]): readonly number[] {
  return pieces.map((_, index) => start + sum(pieces.slice(0, index)));
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(sum(pieces));
  for (const [index, offset] of running(0, pieces).entries()) bytes.set(pieces[index] ?? [], offset);
  return bytes;
}
