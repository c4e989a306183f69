// Bytes in the making: a buffer that grows, and the few forms of numbers and text that trace files are made of.

const FIRST_CAPACITY = 256;
const encoder = new TextEncoder();

/** An append-only buffer. What it hands out is a copy. */
export class ByteWriter {
  #bytes = new Uint8Array(FIRST_CAPACITY);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  /** An unsigned number of 1 to 7 bytes, little-endian. */
  littleEndian(value: number, bytes: number): this {
    this.#reserve(bytes);
    for (let rest = value, index = 0; index < bytes; index++, rest = Math.floor(rest / 256)) {
      this.#bytes[this.#length++] = rest % 256;
    }
    return this;
  }

  /** An unsigned number of 2, 4 or 8 bytes, big-endian: the byte order of CBOR. */
  bigEndian(value: number, bytes: 2 | 4 | 8): this {
    this.#reserve(bytes);
    if (bytes === 2) this.#view.setUint16(this.#length, value);
    else if (bytes === 4) this.#view.setUint32(this.#length, value);
    else this.#view.setBigUint64(this.#length, BigInt(value));
    this.#length += bytes;
    return this;
  }

  float64(value: number): this {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value);
    this.#length += 8;
    return this;
  }

  /** A whole number from 0 to 2^53 - 1 in groups of seven bits, the lowest first; no longer than it must be. */
  varint(value: number): this {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.u8((rest % 0x80) | 0x80);
    return this.u8(rest);
  }

  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** Bytes after their number. */
  bytes(bytes: Uint8Array): this {
    return this.varint(bytes.length).raw(bytes);
  }

  /** UTF-8 after the number of its bytes. */
  text(text: string): this {
    return this.bytes(encoder.encode(text));
  }

  /** What was written, as a copy. */
  take(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** Starts again and keeps the buffer. */
  clear(): void {
    this.#length = 0;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
