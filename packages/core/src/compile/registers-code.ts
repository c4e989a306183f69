// General registers in generated code: those that a region uses are locals, loaded where it begins and stored where it ends.
// In 64-bit mode a local has 64 bits. In other modes it has 32: the runner enters generated code only while bits 63:32 of
// all eight registers are 0, and nothing there sets them.
import type { RegisterPlace } from '../expression/nodes.js';
import { GENERAL_REGISTERS } from '../register/register-file.js';
import { REGISTER_BYTES } from './layout.js';
import type { FunctionCode, Local } from './wasm/function-code.js';

/** The registers of one function. */
export class RegistersCode {
  readonly #code: FunctionCode;
  readonly #locals = new Map<number, Local>();
  readonly #written: readonly number[];
  readonly #type: 'i32' | 'i64';

  /** `used` and `written` are numbers of registers. */
  constructor(code: FunctionCode, mode64: boolean, used: Iterable<number>, written: Iterable<number>) {
    this.#code = code;
    this.#type = mode64 ? 'i64' : 'i32';
    for (const index of used) this.#locals.set(index, code.local(this.#type, GENERAL_REGISTERS[index]));
    this.#written = [...written];
  }

  /** At the beginning of the function. */
  load(): void {
    this.reload(this.#locals.keys());
  }

  /** After the reference path wrote some of them. */
  reload(indexes: Iterable<number>): void {
    for (const index of indexes) {
      this.#code.loadAt(`${this.#type}.load`, index * REGISTER_BYTES);
      this.#code.set(this.#local(index));
    }
  }

  /** Stores all that the region may have changed. */
  store(): void {
    for (const index of this.#written) {
      this.#code.i32(0);
      this.#code.get(this.#local(index));
      this.#code.memory(`${this.#type}.store`, index * REGISTER_BYTES);
    }
  }

  #local(index: number): Local {
    const local = this.#locals.get(index);
    if (local === undefined) throw new RangeError(`register ${index} is not among those that the region uses`);
    return local;
  }

  /** Pushes a register or a part of one, with zeros above it. */
  read({ index, width, high }: RegisterPlace): void {
    const code = this.#code;
    code.get(this.#local(index));
    if (width === 64) {
      if (this.#type === 'i32') code.op('i64.extend_i32_u');
      return;
    }
    if (this.#type === 'i64') code.op('i32.wrap_i64');
    if (high) {
      code.i32(8);
      code.op('i32.shr_u');
    }
    if (width === 32) return;
    code.i32(width === 16 ? 0xffff : 0xff);
    code.op('i32.and');
  }

  /** A register takes a value from a local: 32 bits clear those above, 16 and 8 bits leave them. */
  write({ index, width, high }: RegisterPlace, value: Local): void {
    const code = this.#code;
    const local = this.#local(index);
    if (width >= 32) {
      code.get(value);
      if (value.type === 'i32' && this.#type === 'i64') code.op('i64.extend_i32_u');
      if (value.type === 'i64' && this.#type === 'i32') code.op('i32.wrap_i64');
      code.set(local);
      return;
    }
    const shift = high ? 8 : 0;
    const mask = (width === 16 ? 0xffff : 0xff) << shift;
    code.get(local);
    if (this.#type === 'i64') code.i64(~BigInt(mask));
    else code.i32(~mask);
    code.op(`${this.#type}.and`);
    code.get(value);
    if (shift > 0) {
      code.i32(shift);
      code.op('i32.shl');
    }
    if (this.#type === 'i64') code.op('i64.extend_i32_u');
    code.op(`${this.#type}.or`);
    code.set(local);
  }
}
