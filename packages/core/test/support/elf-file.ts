// ELF executables for tests: headers written out, contents given.

/** A program header with its contents. */
export interface TestSegment {
  readonly address: number;
  readonly bytes: readonly number[];
  readonly linear?: bigint;
  readonly memoryBytes?: number;
  readonly flags?: number;
  readonly type?: number;
}

/** Builds an executable. `patch` changes bytes of it afterwards, by offset. */
export function elfFile({
  width,
  entry,
  segments,
  patch = {},
}: {
  readonly width: 32 | 64;
  readonly entry: bigint;
  readonly segments: readonly TestSegment[];
  readonly patch?: Readonly<Record<number, number>>;
}): Uint8Array {
  const wide = width === 64;
  const [headerBytes, programBytes] = wide ? [64, 56] : [52, 32];
  const start = headerBytes + segments.length * programBytes;
  const length = start + segments.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const file = new Uint8Array(length);
  const view = new DataView(file.buffer);
  const word = (at: number, value: bigint) =>
    wide ? view.setBigUint64(at, value, true) : view.setUint32(at, Number(value), true);
  file.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, wide ? 62 : 3, true);
  word(24, entry);
  word(wide ? 32 : 28, BigInt(headerBytes));
  view.setUint16(wide ? 54 : 42, programBytes, true);
  view.setUint16(wide ? 56 : 44, segments.length, true);
  let offset = start;
  for (const [index, segment] of segments.entries()) {
    const { address, bytes, linear = BigInt(address), memoryBytes = bytes.length, flags = 7, type = 1 } = segment;
    const at = headerBytes + index * programBytes;
    view.setUint32(at, type, true);
    view.setUint32(at + (wide ? 4 : 24), flags, true);
    const values = [BigInt(offset), linear, BigInt(address), BigInt(bytes.length), BigInt(memoryBytes)];
    for (const [field, value] of values.entries()) word(at + (wide ? 8 + field * 8 : 4 + field * 4), value);
    file.set(bytes, offset);
    offset += bytes.length;
  }
  for (const [at, byte] of Object.entries(patch)) file[Number(at)] = byte;
  return file;
}
