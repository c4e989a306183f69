// Where the ACPI tables lie (ACPI Specification 6.5, "Root System Description Pointer" to "XSDT"): the RSDP in the ROM of the
// BIOS, where software looks for it on 16 bytes, and the tables in the last part of RAM below 4 GiB.
import { PluginError } from '../error.js';
import type { MachineDefinition } from '../plugin/host.js';
import { describedTables, differentiatedTable, firmwareControlStructure, fixedTable } from './acpi-description.js';
import { type AcpiTable, acpiFields, encodeAcpiTable, putText, withChecksum } from './acpi-table.js';
import type { ImageSegment } from './boot-image.js';
import { FIRMWARE_LAYOUT, tableRange } from './memory-map.js';

const POINTER = FIRMWARE_LAYOUT.rom.start + 0x100;
const POINTER_BYTES = 36;
/** The part that version 1 has, with a checksum of its own. */
const FIRST_POINTER_BYTES = 20;
const ALIGNMENT = 64;

/** Everything that ACPI has in the memory of a machine. @throws PluginError for more tables than there is room */
export function acpiMemory(definition: MachineDefinition): readonly ImageSegment[] {
  const range = tableRange(definition.ranges);
  const placed: ImageSegment[] = [];
  let next = range.start;
  const place = (bytes: Uint8Array): number => {
    const address = next;
    next = Math.ceil((address + bytes.length) / ALIGNMENT) * ALIGNMENT;
    if (next > range.end) refuse(next - range.start, range.end - range.start);
    placed.push({ address, bytes });
    return address;
  };
  const placeTable = (table: AcpiTable) => place(encodeAcpiTable(table));
  const facs = place(firmwareControlStructure());
  const dsdt = placeTable(differentiatedTable(definition));
  const listed = [fixedTable(definition, facs, dsdt), ...describedTables(definition)].map(placeTable);
  const rsdt = placeTable({ signature: 'RSDT', revision: 1, body: pointers(listed, 4) });
  const xsdt = placeTable({ signature: 'XSDT', revision: 1, body: pointers(listed, 8) });
  return [...placed, { address: POINTER, bytes: rootPointer(rsdt, xsdt) }];
}

function pointers(addresses: readonly number[], bytes: 4 | 8): Uint8Array {
  return acpiFields(
    addresses.length * bytes,
    addresses.map((address, index) => [index * bytes, bytes, address]),
  );
}

function rootPointer(rsdt: number, xsdt: number): Uint8Array {
  const bytes = acpiFields(POINTER_BYTES, [
    [15, 1, 2], // revision
    [16, 4, rsdt],
    [20, 4, POINTER_BYTES],
    [24, 8, xsdt],
  ]);
  putText(bytes, 0, 'RSD PTR ');
  putText(bytes, 9, 'RVISOR');
  withChecksum(bytes, 8, FIRST_POINTER_BYTES);
  return withChecksum(bytes, 32, POINTER_BYTES);
}

function refuse(needed: number, room: number): never {
  throw new PluginError(
    'ACPI_TABLES_TOO_LARGE',
    { needed, room },
    `the ACPI tables of the plugins need ${needed} bytes or more: there is room for ${room}`,
  );
}
