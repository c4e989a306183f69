// LEB128, the variable-length integers of the binary format (WebAssembly Core Specification, "Integers"). Each function
// appends to an array of bytes.

/** An unsigned integer of up to 32 bits. */
export function unsigned(bytes: number[], value: number): void {
  let rest = value >>> 0;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
}

/** A signed integer of 32 bits. */
export function signed(bytes: number[], value: number): void {
  let rest = value;
  while (rest < -64 || rest > 63) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>= 7;
  }
  bytes.push(rest & 0x7f);
}

/** A signed integer of 64 bits. */
export function signedWide(bytes: number[], value: bigint): void {
  let rest = value;
  while (rest < -64n || rest > 63n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest & 0x7fn));
}
