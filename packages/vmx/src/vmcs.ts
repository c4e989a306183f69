// The fields of a VMCS as words of physical memory: what VM entries and VM exits move between a region and the registers. There
// is no copy of a VMCS anywhere; bigints come in only where a field is looked at as a number of 64 bits.
import type { Cpu } from '@retrovisor/core';
import type { VmcsField } from './field-encoding.js';
import { fieldOffset } from './vmcs-region.js';
import { vmxProcessor } from './vmx-operation.js';

/** A VMCS region as one processor reaches it. */
export class Vmcs {
  readonly #cpu: Cpu;
  readonly #address: number;

  constructor(cpu: Cpu, address: number) {
    this.#cpu = cpu;
    this.#address = address;
  }

  /** The current VMCS of a processor that has one. */
  static currentOf(cpu: Cpu): Vmcs {
    return new Vmcs(cpu, Number(vmxProcessor.of(cpu).currentVmcs));
  }

  /** Bits 31:0 of a field, as a signed integer; a field of 16 bits is zero-extended. */
  word(field: VmcsField): number {
    const at = this.#address + fieldOffset(field);
    if (field.bytes !== 2) return this.#cpu.memory.word(at);
    return (this.#cpu.memory.word(doublewordAt(at)) >>> ((at & 2) * 8)) & 0xffff;
  }

  /** Bits 63:32 of a field of 64 bits, as a signed integer; 0 of others. */
  high(field: VmcsField): number {
    return field.bytes === 8 ? this.#cpu.memory.word(this.#address + fieldOffset(field) + 4) : 0;
  }

  /** A field, unsigned. */
  value(field: VmcsField): bigint {
    return (BigInt(this.high(field) >>> 0) << 32n) | BigInt(this.word(field) >>> 0);
  }

  /** Stores a field from its halves; bits that it does not have are ignored. */
  set(field: VmcsField, low: number, high = 0): void {
    const { memory } = this.#cpu;
    const at = this.#address + fieldOffset(field);
    if (field.bytes === 2) {
      const shift = (at & 2) * 8;
      const word = doublewordAt(at);
      memory.setWord(word, (memory.word(word) & ~(0xffff << shift)) | ((low & 0xffff) << shift));
      return;
    }
    memory.setWord(at, low);
    if (field.bytes === 8) memory.setWord(at + 4, high);
  }

  setValue(field: VmcsField, value: bigint): void {
    this.set(field, Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
  }
}

/** The doubleword that holds a byte; addresses have more than 32 bits. */
const doublewordAt = (address: number): number => address - (address % 4);
