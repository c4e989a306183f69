// Whether everything that a boot image brings has a place: in RAM, beside each other, and beside what boot itself writes.
import { ImageError } from '../error.js';
import type { MachineDefinition } from '../plugin/host.js';
import { isRamThroughout, type PhysicalRange } from '../state/memory.js';
import { BOOT_LAYOUT, type BootImage } from './boot-image.js';
import { FIRMWARE_LAYOUT, LEAST_FIRMWARE_MEMORY, tableRange } from './memory-map.js';

interface Placed extends PhysicalRange {
  readonly what: string;
}

/** The tables that boot writes in the low 64 KiB. */
const GDT_PLACE: Placed = { what: 'the GDT of boot', start: BOOT_LAYOUT.gdt, end: BOOT_LAYOUT.gdt + 0x20 };
/** PML4, page-directory-pointer table and four page directories. */
const PAGE_TABLES: Placed = {
  what: 'the page tables of boot',
  start: BOOT_LAYOUT.pageTables,
  end: BOOT_LAYOUT.pageTables + 6 * 0x1000,
};

/** Whether boot writes a GDT: in protected and long mode, unless the image brings the address of another one. */
export function needsOwnGdt({ mode, registers = {} }: BootImage): boolean {
  return mode !== 'real' && !Object.hasOwn(registers, 'GDTR.base');
}

/** @throws ImageError IMAGE_OUTSIDE_MEMORY, IMAGE_OVERLAP, MEMORY_TOO_SMALL */
export function checkPlacement(definition: MachineDefinition, image: BootImage): void {
  checkFirmware(definition, image);
  const loaded = image.segments.map((segment) => {
    const { address, bytes, memoryBytes = bytes.length, what = 'the image' } = segment;
    if (!isRamThroughout(definition.ranges, address, memoryBytes)) refuseOutside(definition, address, memoryBytes);
    return { what, start: address, end: address + memoryBytes };
  });
  const all = [...ownStructures(definition, image), ...loaded].filter(({ start, end }) => start < end);
  const sorted = all.toSorted((one, other) => one.start - other.start);
  for (const [index, placed] of sorted.entries()) {
    const next = sorted[index + 1];
    if (next !== undefined && next.start < placed.end) refuseOverlap(placed, next);
  }
}

function ownStructures({ ranges }: MachineDefinition, image: BootImage): readonly Placed[] {
  return [
    ...(needsOwnGdt(image) ? [GDT_PLACE] : []),
    ...(image.mode === 'long' ? [PAGE_TABLES] : []),
    ...(image.firmware === 'pc'
      ? [...Object.values(FIRMWARE_LAYOUT), tableRange(ranges)].map((range) => ({ ...range, what: 'the firmware' }))
      : []),
  ];
}

function checkFirmware({ memoryBytes }: MachineDefinition, { firmware }: BootImage): void {
  if (firmware === undefined || memoryBytes >= LEAST_FIRMWARE_MEMORY) return;
  throw new ImageError(
    'MEMORY_TOO_SMALL',
    { memoryBytes, least: LEAST_FIRMWARE_MEMORY },
    `${memoryBytes} bytes of memory leave no place for firmware: ${LEAST_FIRMWARE_MEMORY} or more are accepted`,
  );
}

function refuseOutside({ memoryBytes }: MachineDefinition, address: number, bytes: number): never {
  throw new ImageError(
    'IMAGE_OUTSIDE_MEMORY',
    { address, bytes, memoryBytes },
    `${bytes} bytes at 0x${address.toString(16)} do not fit in ${memoryBytes} bytes of memory, which has a hole from 3 to 4 GiB: load lower or give more memory`,
  );
}

function refuseOverlap(one: Placed, other: Placed): never {
  const range = ({ what, start, end }: Placed) => `${what} (0x${start.toString(16)} to 0x${(end - 1).toString(16)})`;
  throw new ImageError(
    'IMAGE_OVERLAP',
    { one, other },
    `${range(one)} and ${range(other)} overlap: each byte of memory is accepted once`,
  );
}
