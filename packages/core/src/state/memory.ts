// Physical memory as the API shows it: immutable, read by copying. What is not RAM reads as ones.
import { UsageError } from '../error.js';
import type { FrameMap } from './frame-map.js';
import { FRAME_BYTES } from './workbench.js';

const GIB = 2 ** 30;
/** RAM stops here and goes on at 4 GiB, as on a PC: between lie the devices. */
const LOW_RAM_END = 3 * GIB;
const HIGH_RAM_START = 4 * GIB;
/** The most that one read copies. */
const LONGEST_READ = 2 ** 30;

/** A half-open range of physical addresses in bytes. */
export interface PhysicalRange {
  readonly start: number;
  readonly end: number;
}

/** Where `bytes` of RAM lie: from 0 up to 3 GiB, the rest from 4 GiB. */
export function ramRanges(bytes: number): readonly PhysicalRange[] {
  const high = { start: HIGH_RAM_START, end: HIGH_RAM_START + bytes - LOW_RAM_END };
  const ranges = [{ start: 0, end: Math.min(bytes, LOW_RAM_END) }, ...(bytes > LOW_RAM_END ? [high] : [])];
  return Object.freeze(ranges.map((range) => Object.freeze(range))); // every state hands them out
}

/** Inside core: the frames behind a memory. */
export let framesOf: (memory: PhysicalMemory) => FrameMap;

/** The physical memory of one state. Its bytes can be copied out and never be changed. */
export class PhysicalMemory {
  static {
    framesOf = (memory) => memory.#frames;
  }

  readonly #frames: FrameMap;
  readonly ranges: readonly PhysicalRange[];

  constructor(frames: FrameMap, ranges: readonly PhysicalRange[]) {
    this.#frames = frames;
    this.ranges = ranges;
    Object.freeze(this);
  }

  /** Frames of 4 KiB that hold anything but zeros. */
  get usedFrames(): number {
    return this.#frames.size;
  }

  /**
   * A copy of `length` bytes at a physical address; what is not RAM reads as FFH.
   * @throws UsageError for an address that is negative or needs more than 52 bits, or a length over 1 GiB
   */
  read(address: bigint | number, length: number): Uint8Array {
    const start = checkedAddress(address);
    if (!Number.isInteger(length) || length < 0 || length > LONGEST_READ) {
      throw new UsageError(
        'BAD_LENGTH',
        { length },
        `cannot read ${length} bytes: a whole number up to ${LONGEST_READ} is accepted`,
      );
    }
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const at = start + done;
      const within = at % FRAME_BYTES;
      const chunk = bytes.subarray(done, done + FRAME_BYTES - within);
      if (!isRam(this.ranges, at)) chunk.fill(0xff);
      else chunk.set(this.#frames.get(Math.floor(at / FRAME_BYTES))?.subarray(within, within + chunk.length) ?? []);
      done += chunk.length;
    }
    return bytes;
  }

  /** An unsigned little-endian value of 1, 2, 4 or 8 bytes. */
  readValue(address: bigint | number, bytes: 1 | 2 | 4 | 8): bigint {
    return this.read(address, bytes).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }

  /** The addresses of the frames that hold anything but zeros, ascending. */
  *frames(): IterableIterator<bigint> {
    for (const [frame] of this.#frames.entries()) yield BigInt(frame) * BigInt(FRAME_BYTES);
  }
}

/** Whether all of some bytes are RAM: none of them lies in a hole between ranges. */
export function isRamThroughout(ranges: readonly PhysicalRange[], address: number, length: number): boolean {
  return ranges.some(({ start, end }) => address >= start && address < end && address + length <= end);
}

/** Whether an address is RAM. */
export function isRam(ranges: readonly PhysicalRange[], address: number): boolean {
  return ranges.some(({ start, end }) => address >= start && address < end);
}

/** A physical address as a number: exact, because 52 bits fit a double. */
export function checkedAddress(address: bigint | number): number {
  const number = Number(address);
  if (!Number.isInteger(number) || number < 0 || number >= 2 ** 52) {
    throw new UsageError(
      'BAD_PHYSICAL_ADDRESS',
      { address },
      `${address} is no physical address: 0 to 2^52 - 1 is accepted`,
    );
  }
  return number;
}
