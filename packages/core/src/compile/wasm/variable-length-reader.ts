// Reads back what variable-length.ts writes: single bytes and LEB128 integers (WebAssembly Core Specification, "Integers"),
// one behind the other. Only code that was generated here is read, so that a length is not checked but asserted.
import { assert } from '../../error.js';

/** A place in bytes that moves on with what is read. */
export class VariableLengthReader {
  readonly #bytes: readonly number[];
  #at = 0;

  constructor(bytes: readonly number[]) {
    this.#bytes = bytes;
  }

  /** Index of the next byte. */
  get at(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    const value = this.#bytes[this.#at++];
    assert(value !== undefined, 'generated code ends in the middle of an instruction', { at: this.#at - 1 });
    return value;
  }

  /** An unsigned integer of up to 32 bits. */
  unsigned(): number {
    return Number(this.#groups().value);
  }

  /** A signed integer of up to 64 bits. */
  signed(): bigint {
    const { value, bits } = this.#groups();
    return BigInt.asIntN(bits, value);
  }

  /** Groups of seven bits, the lowest first; the last one has no bit 7. */
  #groups(): { readonly value: bigint; readonly bits: number } {
    let value = 0n;
    for (let bits = 0; ; ) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << BigInt(bits);
      bits += 7;
      if (byte < 0x80) return { value, bits };
    }
  }
}
