// A table of the Advanced Configuration and Power Interface (ACPI Specification 6.5, "System Description Table Header"): the
// 36 bytes that each one begins with, and its checksum.

/** A table as it is declared: what follows the header. Offsets in the specification count from the header. */
export interface AcpiTable {
  /** Four characters: `SRAT`. */
  readonly signature: string;
  readonly revision: number;
  readonly body: Uint8Array;
}

/** A little-endian number in a structure: where, how many bytes, what. */
export type AcpiField = readonly [offset: number, bytes: 1 | 2 | 4 | 8, value: number];

export const ACPI_HEADER_BYTES = 36;
const CHECKSUM_OFFSET = 9;
const REVISION = 1;
const OEM = 'RVISOR';
const OEM_TABLE = 'RETROVIS';
const CREATOR = 'RVSR';

/** A structure of so many bytes, zero but for some numbers. */
export function acpiFields(length: number, fields: readonly AcpiField[]): Uint8Array {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  for (const [offset, size, value] of fields) {
    for (let index = 0; index < size; index++)
      view.setUint8(offset + index, Math.floor(value / 2 ** (8 * index)) % 256);
  }
  return bytes;
}

/** The whole table, with header and checksum. */
export function encodeAcpiTable({ signature, revision, body }: AcpiTable): Uint8Array {
  const length = ACPI_HEADER_BYTES + body.length;
  const bytes = acpiFields(length, [
    [4, 4, length],
    [8, 1, revision],
    [24, 4, REVISION],
    [32, 4, REVISION],
  ]);
  putText(bytes, 0, signature);
  putText(bytes, 10, OEM);
  putText(bytes, 16, OEM_TABLE);
  putText(bytes, 28, CREATOR);
  bytes.set(body, ACPI_HEADER_BYTES);
  return withChecksum(bytes, CHECKSUM_OFFSET, length);
}

/** Sets the byte at `offset` so that the first `length` bytes add up to 0. */
export function withChecksum(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  bytes[offset] = 0;
  bytes[offset] = -bytes.subarray(0, length).reduce((sum, byte) => sum + byte, 0);
  return bytes;
}

/** Writes ASCII without an end. */
export function putText(bytes: Uint8Array, offset: number, text: string): void {
  bytes.set(new TextEncoder().encode(text), offset);
}
