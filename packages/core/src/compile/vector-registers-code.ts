// XMM registers in generated code: those that a region's own code uses are locals, like general registers. An instruction
// that only the reference path executes uses them in the hot memory: there they are stored before it.
import { XMM_REGISTERS } from '../register/register-file.js';
import type { InstructionFacts } from './instruction-facts.js';
import { vectorRegisterAddress } from './layout.js';
import type { FunctionCode, Local } from './wasm/function-code.js';

const NUMBERS: ReadonlyMap<string, number> = new Map(XMM_REGISTERS.map((name, index) => [name, index]));

/** Numbers of XMM registers among the names of what an effect touches. */
export function vectorRegistersIn(named: Iterable<string>): readonly number[] {
  return [...named].flatMap((name) => NUMBERS.get(name) ?? []);
}

/** The XMM registers of one function. */
export class VectorRegistersCode {
  readonly #code: FunctionCode;
  readonly #locals = new Map<number, Local>();
  readonly #written: readonly number[];

  /** For a region of these instructions. */
  constructor(code: FunctionCode, instructions: readonly InstructionFacts[]) {
    this.#code = code;
    const generated = instructions.filter(({ isGenerated }) => isGenerated);
    this.#written = [...new Set(generated.flatMap(({ writes }) => vectorRegistersIn(writes.named)))];
    const read = generated.flatMap(({ reads }) => vectorRegistersIn(reads.named));
    for (const index of new Set([...this.#written, ...read]))
      this.#locals.set(index, code.local('v128', XMM_REGISTERS[index]));
  }

  /** At the beginning of the function. */
  load(): void {
    this.reload(this.#locals.keys());
  }

  /** After the reference path wrote some of them. */
  reload(indexes: Iterable<number>): void {
    for (const index of indexes) {
      const local = this.#locals.get(index);
      if (local === undefined) continue; // only the reference path uses it
      this.#code.loadAt('v128.load', vectorRegisterAddress(index));
      this.#code.set(local);
    }
  }

  /** Stores all that the region's own code may have changed. */
  store(): void {
    for (const index of this.#written) {
      this.#code.i32(0);
      this.#code.get(this.#local(index));
      this.#code.memory('v128.store', vectorRegisterAddress(index));
    }
  }

  /** Pushes one. */
  read(index: number): void {
    this.#code.get(this.#local(index));
  }

  /** One takes a value from a local. */
  write(index: number, value: Local): void {
    this.#code.get(value);
    this.#code.set(this.#local(index));
  }

  #local(index: number): Local {
    const local = this.#locals.get(index);
    if (local === undefined) throw new RangeError(`XMM${index} is not among the registers that the region uses`);
    return local;
  }
}
