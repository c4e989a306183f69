// What the firmware of a PC leaves in memory for a kernel that it has started: the BIOS data area, ACPI tables, a GDT, and
// what handles interrupts. No firmware ran: the rest of its code is not there.
import type { MachineDraft } from '../state/draft.js';
import { acpiMemory } from './acpi-memory.js';
import { writeBiosInterrupts } from './bios-interrupts.js';
import { FIRMWARE_LAYOUT, memorySizes } from './memory-map.js';

/** As QEMU's multiboot loader has them: null, 32-bit code and data over 4 GiB, 16-bit code and data over 64 KiB. */
const DESCRIPTORS = [
  0n,
  0x00cf_9b00_0000_ffffn,
  0x00cf_9300_0000_ffffn,
  0x0000_9b00_0000_ffffn,
  0x0000_9300_0000_ffffn,
] as const;
const CODE_SELECTOR = 0x08n;

/** A flat GDT in the ROM, and the registers that use it; data segments are selector 10H in any case. */
export const PC_GDT = {
  address: FIRMWARE_LAYOUT.rom.start,
  registers: {
    'GDTR.base': BigInt(FIRMWARE_LAYOUT.rom.start),
    'GDTR.limit': BigInt(DESCRIPTORS.length * 8 - 1),
    'CS.selector': CODE_SELECTOR,
  },
} as const;

/** Of the BIOS data area: the port of COM1, the segment of the extended area, what INT 11H and INT 12H report. */
const DATA_AREA = { com1: 0x400, extendedSegment: 0x40e, equipment: 0x410, baseMemory: 0x413 } as const;
/** One serial port, PS/2 pointing device, 80-column colour display, x87 FPU. */
const EQUIPMENT = 0x0226n;
const COM1_PORT = 0x3f8n;

/** Writes it, for the size and the processors of the machine. */
export function writePcFirmware(draft: MachineDraft): void {
  const { memory, definition } = draft;
  const { extendedBiosDataArea } = FIRMWARE_LAYOUT;
  const { lower } = memorySizes(definition.ranges);
  memory.write(DATA_AREA.com1, 2, COM1_PORT);
  memory.write(DATA_AREA.extendedSegment, 2, BigInt(extendedBiosDataArea.start >> 4));
  memory.write(DATA_AREA.equipment, 2, EQUIPMENT);
  memory.write(DATA_AREA.baseMemory, 2, BigInt(lower));
  memory.write(extendedBiosDataArea.start, 1, BigInt((extendedBiosDataArea.end - extendedBiosDataArea.start) / 1024));
  for (const [index, descriptor] of DESCRIPTORS.entries()) memory.write(PC_GDT.address + index * 8, 8, descriptor);
  for (const { address, bytes } of acpiMemory(definition)) memory.writeBytes(address, bytes);
  writeBiosInterrupts(draft);
}
