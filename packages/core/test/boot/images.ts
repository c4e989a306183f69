// Image files that tests make: ELF with one segment, multiboot headers.

/** An ELF file with one PT_LOAD segment. */
export function elfFile({
  bits,
  bytes,
  physical,
  entry = physical,
  memoryBytes = bytes.length,
}: {
  readonly bits: 32 | 64;
  readonly bytes: Uint8Array;
  readonly physical: number;
  readonly entry?: number;
  readonly memoryBytes?: number;
}): Uint8Array {
  const wide = bits === 64;
  const [header, entrySize] = wide ? [64, 56] : [52, 32];
  const file = new Uint8Array(0x1000 + bytes.length);
  const view = new DataView(file.buffer);
  const address = (offset: number, value: number) =>
    wide ? view.setBigUint64(offset, BigInt(value), true) : view.setUint32(offset, value, true);
  file.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, wide ? 62 : 3, true);
  address(24, entry);
  address(wide ? 32 : 28, header);
  view.setUint16(wide ? 54 : 42, entrySize, true);
  view.setUint16(wide ? 56 : 44, 1, true);
  view.setUint32(header, 1, true);
  const fields = wide
    ? [
        [8, 0x1000],
        [16, physical],
        [24, physical],
        [32, bytes.length],
        [40, memoryBytes],
      ]
    : [
        [4, 0x1000],
        [8, physical],
        [12, physical],
        [16, bytes.length],
        [20, memoryBytes],
      ];
  for (const [offset, value] of fields as [number, number][]) address(header + offset, value);
  file.set(bytes, 0x1000);
  return file;
}

/** A multiboot header: magic, flags, checksum and what follows. */
export function multibootHeader(flags: number, ...fields: readonly number[]): Uint8Array {
  const magic = 0x1bad_b002;
  return new Uint8Array(Uint32Array.from([magic, flags, -(magic + flags), ...fields]).buffer);
}
