// The bytes of an image file, read with bounds: a header that points outside of the file is refused by name.
import { ImageError } from '../error.js';

/** Little-endian numbers and pieces of a file. Offsets are in bytes from its start. */
export class ImageBytes {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #format: string;

  /** @param format what the file claims to be, for messages: `ELF` */
  constructor(bytes: Uint8Array, format: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#format = format;
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** An unsigned number of 16 bits. @throws ImageError IMAGE_TRUNCATED */
  u16(offset: number, field: string): number {
    return this.#view.getUint16(this.#inside(offset, 2, field), true);
  }

  /** An unsigned number of 32 bits. @throws ImageError IMAGE_TRUNCATED */
  u32(offset: number, field: string): number {
    return this.#view.getUint32(this.#inside(offset, 4, field), true);
  }

  /** An unsigned number of 64 bits. @throws ImageError IMAGE_TRUNCATED */
  u64(offset: number, field: string): bigint {
    return this.#view.getBigUint64(this.#inside(offset, 8, field), true);
  }

  /** Bytes, not copied. @throws ImageError IMAGE_TRUNCATED */
  piece(offset: number, length: number, field: string): Uint8Array {
    return this.#bytes.subarray(this.#inside(offset, length, field), offset + length);
  }

  /** A field that says what cannot be. @param offset where the field lies */
  refuse(offset: number, field: string, found: number | bigint, accepted: string): never {
    throw new ImageError(
      'BAD_IMAGE_HEADER',
      { format: this.#format, offset, field, found, accepted },
      `${field} of the ${this.#format} image, at offset 0x${offset.toString(16)}, is 0x${found.toString(16)}: ${accepted} is accepted`,
    );
  }

  #inside(offset: number, length: number, field: string): number {
    const { length: fileBytes } = this.#bytes;
    if (offset >= 0 && length >= 0 && offset + length <= fileBytes) return offset;
    throw new ImageError(
      'IMAGE_TRUNCATED',
      { format: this.#format, offset, length, field, fileBytes },
      `${field} of the ${this.#format} image lies at offset 0x${offset.toString(16)}, ${length} bytes long: the file has ${fileBytes} bytes`,
    );
  }
}
