// Values that stand where an operand of an instruction would: immediates, and what the caller of an intrinsic gives.
import type { Operand } from '../instruction/operand.js';
import type { Cpu } from '../state/cpu.js';

/** An immediate, an input of an intrinsic, or an output of one: it keeps what was last written to it. */
export class ValueOperand implements Operand {
  readonly kind: 'immediate' | 'value';
  /** Bits. */
  readonly width: number;
  #value: bigint;
  /** What the instruction wrote, if it did. */
  written: bigint | undefined;

  constructor(kind: 'immediate' | 'value', width: number, value: bigint) {
    this.kind = kind;
    this.width = width;
    this.#value = value;
  }

  linear(): undefined {}

  place(): undefined {}

  probeWrite(): void {}

  read(): bigint {
    return this.#value;
  }

  write(value: bigint): void {
    this.written = value;
  }

  readBytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, (_, index) => Number((this.#value >> BigInt(8 * index)) & 0xffn));
  }
}

/** A register that the name of an intrinsic fixes: CR4 of movToCr4. */
export class NamedRegisterOperand implements Operand {
  readonly kind = 'register';
  readonly width = 64;
  readonly register: string;
  readonly #cpu: Cpu;

  constructor(cpu: Cpu, register: string) {
    this.#cpu = cpu;
    this.register = register;
  }

  linear(): undefined {}

  place(): undefined {}

  probeWrite(): void {}

  read(): bigint {
    return this.#cpu.read(this.register);
  }

  write(value: bigint): void {
    this.#cpu.set(this.register, value);
  }

  readBytes(): Uint8Array {
    return new Uint8Array();
  }
}
