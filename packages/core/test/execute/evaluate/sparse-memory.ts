// Linear memory without paging, for tests: every byte exists, some pages fault, and each access is written down.
import type { SegmentName } from '../../../src/expression/nodes.js';
import { GP, PF, raise, SS } from '../../../src/interrupt/exceptions.js';
import { type LinearMemory, type SegmentIndex, wide } from '../../../src/memory/linear-memory.js';
import { SEGMENT_REGISTERS } from '../../../src/register/register-file.js';
import type { OracleMemory } from '../../expression/oracle.js';

const WRITE = 2;

/** Bytes by address; those never written are a function of the address. */
export class SparseMemory implements LinearMemory, OracleMemory {
  readonly bytes = new Map<bigint, number>();
  /** `modify 64 at 1000`, in the order in which they were made. */
  readonly log: string[] = [];
  /** Whether an access to a page faults: pages are bits 63:12 of an address. */
  faults: (page: bigint, write: boolean) => boolean = () => false;

  load(address: bigint, bytes: number): bigint {
    return this.#access('load', address, bytes, false);
  }

  modify(address: bigint, bytes: number): bigint {
    return this.#access('modify', address, bytes, true);
  }

  store(address: bigint, bytes: number, value: bigint): void {
    this.#access('store', address, bytes, true);
    for (let index = 0n; index < bytes; index++) {
      this.bytes.set(BigInt.asUintN(64, address + index), Number((value >> (index * 8n)) & 0xffn));
    }
  }

  segmented(offset: bigint, segment: SegmentName, bytes: number, write: boolean): bigint;
  segmented(offset: number, segment: SegmentIndex, bytes: number, write: boolean): number;
  segmented(
    offset: bigint | number,
    segment: SegmentName | SegmentIndex,
    bytes: number,
    write: boolean,
  ): bigint | number {
    if (typeof segment === 'number') {
      const address = this.segmented(BigInt(Number(offset) >>> 0), SEGMENT_REGISTERS[segment] ?? 'DS', bytes, write);
      return Number(BigInt.asIntN(32, address));
    }
    const first = BigInt(offset);
    // CS cannot be written; the others end before 2^32 - 2^28.
    if ((segment === 'CS' && write) || first + BigInt(bytes) > 0xf000_0000n)
      raise(segment === 'SS' ? SS(0) : GP(0), 'test.segment');
    return BigInt.asUintN(32, first + BigInt(SEGMENT_REGISTERS.indexOf(segment)) * 0x10_0010n);
  }

  #access(kind: string, address: bigint, bytes: number, write: boolean): bigint {
    this.log.push(`${kind} ${bytes * 8} at ${address.toString(16)}`);
    for (const byte of [address, BigInt.asUintN(64, address + BigInt(bytes - 1))]) {
      if (this.faults(byte >> 12n, write)) raise(PF(write ? WRITE : 0, byte));
    }
    let value = 0n;
    for (let index = 0n; index < bytes; index++) value |= BigInt(this.#byte(address + index)) << (index * 8n);
    return value;
  }

  #byte(address: bigint): number {
    const wrapped = BigInt.asUintN(64, address);
    return this.bytes.get(wrapped) ?? Number(((wrapped * 0x9e37_79b9_7f4a_7c15n) >> 40n) & 0xffn);
  }

  readonly load8 = (low: number, high: number): number => Number(this.load(quad(low, high), 1));
  readonly load16 = (low: number, high: number): number => Number(this.load(quad(low, high), 2));
  readonly load32 = (low: number, high: number): number => Number(this.load(quad(low, high), 4)) | 0;
  readonly load64 = (low: number, high: number): number => split(this.load(quad(low, high), 8));
  readonly modify8 = (low: number, high: number): number => Number(this.modify(quad(low, high), 1));
  readonly modify16 = (low: number, high: number): number => Number(this.modify(quad(low, high), 2));
  readonly modify32 = (low: number, high: number): number => Number(this.modify(quad(low, high), 4)) | 0;
  readonly modify64 = (low: number, high: number): number => split(this.modify(quad(low, high), 8));

  store8(low: number, high: number, _segment: SegmentIndex, value: number): void {
    this.store(quad(low, high), 1, BigInt.asUintN(8, BigInt(value)));
  }

  store16(low: number, high: number, _segment: SegmentIndex, value: number): void {
    this.store(quad(low, high), 2, BigInt.asUintN(16, BigInt(value)));
  }

  store32(low: number, high: number, _segment: SegmentIndex, value: number): void {
    this.store(quad(low, high), 4, BigInt.asUintN(32, BigInt(value)));
  }

  load128(low: number, high: number, _segment: SegmentIndex, words: Int32Array, to: number): void {
    const value = this.load(quad(low, high), 16);
    for (let word = 0; word < 4; word++) words[to + word] = Number(BigInt.asIntN(32, value >> BigInt(word * 32)));
  }

  store128(low: number, high: number, _segment: SegmentIndex, words: Int32Array, from: number): void {
    const [lowHalf, highHalf] = [0, 2].map((at) => quad(words[from + at] ?? 0, words[from + at + 1] ?? 0));
    this.store(quad(low, high), 16, ((highHalf ?? 0n) << 64n) | (lowHalf ?? 0n));
  }

  store64(low: number, high: number, _segment: SegmentIndex, valueLow: number, valueHigh: number): void {
    this.store(quad(low, high), 8, quad(valueLow, valueHigh));
  }
}

function quad(low: number, high: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

function split(value: bigint): number {
  wide.high = Number(BigInt.asIntN(32, value >> 32n));
  return Number(BigInt.asIntN(32, value));
}
