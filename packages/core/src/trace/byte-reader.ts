// Reading bytes that nobody vouches for: every length is compared with what is left before anything is allocated, and
// everything has exactly one accepted form, so that equal contents are equal bytes.
import { TraceFormatError } from '../error.js';
import { describeFound } from './found.js';

/** Not `ignoreBOM: false`: that would drop a U+FEFF at the start, and two texts would become one. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Seven groups of seven bits and one of four: 2^53 - 1. */
const LONGEST_VARINT = 8;

/** The same bytes as a Uint8Array and nothing more: `slice` of Node's Buffer, a subclass, copies nothing. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A cursor over bytes. What it refuses it names with the offset in the file. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** Where the first byte lies in the file. */
  readonly #base: number;
  #at = 0;

  constructor(bytes: Uint8Array, base = 0) {
    this.#bytes = plainBytes(bytes);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#base = base;
  }

  /** Offset in the file of the next byte. */
  get offset(): number {
    return this.#base + this.#at;
  }

  /** Bytes that are left. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** Refuses the bytes at an offset, by default the next one. */
  refuse(expected: string, found: unknown, offset = this.offset): never {
    throw new TraceFormatError(
      'TRACE_MALFORMED',
      { offset, found, expected },
      `at offset ${offset} of the trace stands ${describeFound(found)}, where ${expected} is expected`,
    );
  }

  u8(): number {
    if (this.left < 1) this.refuse('another byte', 'the end');
    return this.#bytes[this.#at++] as number;
  }

  /** An unsigned number of 1 to 7 bytes, little-endian. */
  littleEndian(bytes: number): number {
    return this.raw(bytes).reduceRight((value, byte) => value * 256 + byte, 0);
  }

  /** An unsigned number, big-endian; of 8 bytes only up to 2^53 - 1. */
  bigEndian(bytes: 2 | 4 | 8): number {
    const { offset } = this;
    const at = this.#skip(bytes);
    if (bytes === 2) return this.#view.getUint16(at);
    if (bytes === 4) return this.#view.getUint32(at);
    const value = this.#view.getBigUint64(at);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) this.refuse('a number up to 2^53 - 1', value, offset);
    return Number(value);
  }

  float64(): number {
    return this.#view.getFloat64(this.#skip(8));
  }

  varint(): number {
    const { offset } = this;
    let value = 0;
    for (let index = 0; index < LONGEST_VARINT; index++) {
      const byte = this.u8();
      value += (byte & 0x7f) * 2 ** (7 * index);
      if ((byte & 0x80) !== 0) continue;
      if (byte === 0 && index > 0) this.refuse('a number in its shortest form', value, offset);
      if (!Number.isSafeInteger(value)) break;
      return value;
    }
    return this.refuse('a number up to 2^53 - 1', 'a longer one', offset);
  }

  /** A number of things of which each takes at least `bytesEach` bytes of what is left. */
  countOf(bytesEach: number): number {
    const { offset } = this;
    const count = this.varint();
    if (count * bytesEach > this.left) this.refuse(`a number of things that fit in ${this.left} bytes`, count, offset);
    return count;
  }

  /** The next bytes, not copied: who keeps them copies them. */
  raw(length: number): Uint8Array {
    const at = this.#skip(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** Bytes after their number, as a copy. */
  bytes(): Uint8Array {
    return this.raw(this.countOf(1)).slice();
  }

  /** UTF-8 after the number of its bytes. */
  text(): string {
    return this.utf8(this.countOf(1));
  }

  utf8(length: number): string {
    const { offset } = this;
    const bytes = this.raw(length);
    try {
      return decoder.decode(bytes);
    } catch {
      return this.refuse('UTF-8', 'something else', offset);
    }
  }

  /** Nothing may follow. */
  end(): void {
    if (this.left > 0) this.refuse('the end', `${this.left} more bytes`);
  }

  #skip(length: number): number {
    if (length > this.left) this.refuse(`no more than the ${this.left} bytes that are left`, `a length of ${length}`);
    const at = this.#at;
    this.#at += length;
    return at;
  }
}
