// Finds ACPI tables as an operating system does: the RSDP on 16 bytes in the ROM, from there the XSDT and what it lists.
import type { PhysicalMemory } from '../../src/state/memory.js';

/** A table as it lies in memory, header included. */
export interface FoundTable {
  readonly signature: string;
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

const ascii = (bytes: Uint8Array) => new TextDecoder('latin1').decode(bytes);

/** The sum that must be 0. */
export const sumOf = (bytes: Uint8Array): number => bytes.reduce((sum, byte) => sum + byte, 0) % 256;

/** The address of the RSDP, or undefined. */
export function findPointer(memory: PhysicalMemory): number | undefined {
  const rom = memory.read(0xe_0000, 0x2_0000);
  for (let offset = 0; offset < rom.length; offset += 16) {
    if (ascii(rom.subarray(offset, offset + 8)) === 'RSD PTR ' && sumOf(rom.subarray(offset, offset + 20)) === 0)
      return 0xe_0000 + offset;
  }
  return undefined;
}

/** The table at an address. */
export function tableAt(memory: PhysicalMemory, address: number): FoundTable {
  const bytes = memory.read(address, Number(memory.readValue(address + 4, 4)));
  return { address, bytes, signature: ascii(bytes.subarray(0, 4)), view: new DataView(bytes.buffer) };
}

/** The addresses that the RSDT (4 bytes each) or the XSDT (8) lists. */
export function listedIn(table: FoundTable, bytes: 4 | 8): readonly number[] {
  return Array.from({ length: (table.bytes.length - 36) / bytes }, (_, index) =>
    bytes === 4 ? table.view.getUint32(36 + index * 4, true) : Number(table.view.getBigUint64(36 + index * 8, true)),
  );
}

/** All tables of a machine, by signature. */
export function tablesOf(memory: PhysicalMemory): ReadonlyMap<string, FoundTable> {
  const pointer = findPointer(memory) ?? 0;
  const xsdt = tableAt(memory, Number(memory.readValue(pointer + 24, 8)));
  return new Map(
    listedIn(xsdt, 8)
      .map((address) => tableAt(memory, address))
      .map((table) => [table.signature, table]),
  );
}

/** The entries of a table, each of which has its type and its length first. */
export function entriesOf({ bytes }: FoundTable, start: number): readonly (readonly number[])[] {
  const entries = [];
  for (let at = start; at < bytes.length; at += bytes[at + 1] ?? bytes.length)
    entries.push([...bytes.subarray(at, at + (bytes[at + 1] ?? 0))]);
  return entries;
}
