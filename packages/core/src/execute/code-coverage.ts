// Which bytes of a frame something was decoded from, a bit a byte: stores to the others concern nobody.
import { FRAME_BYTES } from '../state/workbench.js';

/** The bytes of one frame. */
export class CodeCoverage {
  readonly #bits = new Uint32Array(FRAME_BYTES / 32);

  /** Something was decoded from a range. */
  add(offset: number, length: number): void {
    const end = Math.min(offset + length, FRAME_BYTES);
    for (let at = offset; at < end; at++) this.#bits[at >> 5] = (this.#bits[at >> 5] as number) | (1 << (at & 31));
  }

  /** Takes a range out; whether any of it was in. */
  remove(offset: number, length: number): boolean {
    let removed = false;
    const end = Math.min(offset + length, FRAME_BYTES);
    for (let at = offset; at < end; at++) {
      const bit = 1 << (at & 31);
      const before = this.#bits[at >> 5] as number;
      if ((before & bit) === 0) continue;
      removed = true;
      this.#bits[at >> 5] = before & ~bit;
    }
    return removed;
  }

  get isEmpty(): boolean {
    return this.#bits.every((bits) => bits === 0);
  }
}
