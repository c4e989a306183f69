// Physical memory as an instruction reaches its own structures in it: a VMXON region, a VMCS, a VMCB. These accesses have
// no linear address, so that the TLB never sees them; whoever observes data accesses is told of them here.
import type { Cpu } from './cpu.js';
import { FRAME_BYTES } from './workbench.js';

/** The memory of one processor's structures. Addresses are physical; what is not RAM reads as ones and ignores writes. */
export class StructureMemory {
  readonly #cpu: Cpu;

  constructor(cpu: Cpu) {
    this.#cpu = cpu;
  }

  /** An unsigned little-endian value of 1, 2, 4 or 8 bytes. */
  read(address: number | bigint, bytes: 1 | 2 | 4 | 8): bigint {
    this.#tell(address, bytes, false);
    return this.#cpu.draft.memory.read(address, bytes);
  }

  /** Stores the low `bytes` bytes of a value. */
  write(address: number | bigint, bytes: 1 | 2 | 4 | 8, value: bigint): void {
    this.#tell(address, bytes, true);
    this.#cpu.draft.memory.write(address, bytes, value);
  }

  /** The aligned doubleword at an address, as a signed integer. */
  word(address: number): number {
    this.#tell(address, 4, false);
    return this.#cpu.draft.memory.load32(address);
  }

  /** Stores an aligned doubleword. */
  setWord(address: number, value: number): void {
    this.#tell(address, 4, true);
    this.#cpu.draft.memory.store32(address, value);
  }

  /** The doublewords of the frame at an address, to be read until memory is next accessed otherwise; undefined where no RAM is. */
  frameWords(address: number): Int32Array | undefined {
    this.#tell(address, FRAME_BYTES, false);
    return this.#cpu.draft.memory.frameWords(Math.floor(address / FRAME_BYTES));
  }

  /** The same to be written, in ranges that are named (offset and bytes): who depends on them is told before. */
  changeFrameWords(
    address: number,
    ranges: readonly (readonly [offset: number, bytes: number])[],
  ): Int32Array | undefined {
    const { memory } = this.#cpu.draft;
    const frame = Math.floor(address / FRAME_BYTES);
    const words = memory.frameWords(frame);
    if (words === undefined) return undefined;
    memory.beginStore(frame);
    for (const [offset, bytes] of ranges) {
      this.#tell(address + offset, bytes, true);
      memory.noticeStore(address + offset, bytes);
    }
    return words;
  }

  /** A copy of bytes. */
  readBytes(address: number | bigint, length: number): Uint8Array {
    this.#tell(address, length, false);
    return this.#cpu.draft.memory.readBytes(address, length);
  }

  writeBytes(address: number | bigint, bytes: Uint8Array): void {
    this.#tell(address, bytes.length, true);
    this.#cpu.draft.memory.writeBytes(address, bytes);
  }

  /** Asks for `watchedStore` intercepts on stores by instructions to a frame; counted, so that watchers can overlap. */
  watch(frame: number): void {
    this.#cpu.draft.memory.watch(frame);
  }

  /** Takes back one `watch`. */
  unwatch(frame: number): void {
    this.#cpu.draft.memory.unwatch(frame);
  }

  /** An access at once is one access, however long: what it costs is for the observer to say. */
  #tell(address: number | bigint, bytes: number, write: boolean): void {
    this.#cpu.draft.observe(this.#cpu, Number(address), bytes, write);
  }
}
