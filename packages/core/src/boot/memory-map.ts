// What firmware tells of memory: the ranges that software may use and those that firmware keeps, as QEMU's PC reports them
// (INT 15H, AX=E820H). Addresses are physical.
import type { PhysicalRange } from '../state/memory.js';

/** A range of the map; `type` is that of the address range descriptor: 1 available, 2 reserved. */
export interface MemoryMapEntry extends PhysicalRange {
  readonly type: 1 | 2;
}

const KIB = 2 ** 10;
const MIB = 2 ** 20;
const GIB = 2 ** 30;
const AVAILABLE = 1;
const RESERVED = 2;

/** Where firmware keeps its own. The rest up to 1 MiB is the video memory and the option ROMs of a PC: nobody is there. */
export const FIRMWARE_LAYOUT = {
  /** The BIOS data area: 256 bytes after the interrupt vectors. */
  biosDataArea: { start: 0x400, end: 0x500 },
  /** The extended BIOS data area: the last KiB below 640 KiB. */
  extendedBiosDataArea: { start: 0x9_fc00, end: 0xa_0000 },
  /** The ROM of the BIOS: a GDT, the RSDP, handlers of interrupts. */
  rom: { start: 0xf_0000, end: 0x10_0000 },
} as const satisfies Readonly<Record<string, PhysicalRange>>;

/** ACPI tables lie in the last part of the RAM below 4 GiB. */
const TABLE_BYTES = 128 * KIB;
/** The least RAM that firmware has a place in. */
export const LEAST_FIRMWARE_MEMORY = 2 * MIB;
/** Where a PC has its flash ROM, and what AMD's HyperTransport keeps. */
const ALWAYS_RESERVED: readonly PhysicalRange[] = [
  { start: 4 * GIB - 256 * KIB, end: 4 * GIB },
  { start: 0xfd_0000_0000, end: 0x100_0000_0000 },
];

/** Where firmware puts its tables. @param ranges of RAM, as ramRanges gives them */
export function tableRange([low]: readonly PhysicalRange[]): PhysicalRange {
  const end = low?.end ?? 0;
  return { start: end - TABLE_BYTES, end };
}

/** The map of a machine, in ascending order. Ranges of which RAM takes a part are left out of what is always reserved. */
export function memoryMap(ranges: readonly PhysicalRange[]): readonly MemoryMapEntry[] {
  const tables = tableRange(ranges);
  const { extendedBiosDataArea, rom } = FIRMWARE_LAYOUT;
  const available = [
    { start: 0, end: extendedBiosDataArea.start },
    { start: MIB, end: tables.start },
    ...ranges.slice(1),
  ];
  const isRam = ({ start, end }: PhysicalRange) => ranges.some((range) => range.start < end && start < range.end);
  const reserved = [extendedBiosDataArea, rom, tables, ...ALWAYS_RESERVED.filter((range) => !isRam(range))];
  return [
    ...available.map((range) => ({ ...range, type: AVAILABLE }) as const),
    ...reserved.map((range) => ({ ...range, type: RESERVED }) as const),
  ].toSorted((one, other) => one.start - other.start);
}

/** KiB from 0 and from 1 MiB on that software may use: what INT 12H and AH=88H report, without the latter's limit. */
export function memorySizes(ranges: readonly PhysicalRange[]): { readonly lower: number; readonly upper: number } {
  return {
    lower: Math.floor(FIRMWARE_LAYOUT.extendedBiosDataArea.start / KIB),
    upper: (tableRange(ranges).start - MIB) / KIB,
  };
}
