// The code of one WebAssembly function while it is written: instructions, locals, and labels that know their depth.
import { assert } from '../../error.js';
import { type LaneOpcode, type MemoryOpcode, OPCODES, type PlainOpcode, VECTOR_PREFIX } from './opcodes.js';
import { signed, signedWide, unsigned } from './variable-length.js';

/** The types of values, by their codes in the binary format. */
export const VALUE_TYPES = { i32: 0x7f, i64: 0x7e, v128: 0x7b } as const;
export type ValueType = keyof typeof VALUE_TYPES;

const NO_RESULT = 0x40;

/** A place to branch to: the end of a block or the beginning of a loop. */
export interface Label {
  readonly depth: number;
}

/** A local variable. */
export interface Local {
  readonly index: number;
  readonly type: ValueType;
}

/** Instructions are appended in the order in which they run. */
export class FunctionCode {
  readonly #bytes: number[] = [];
  readonly #parameters: number;
  readonly #locals: ValueType[] = [];
  readonly #names = new Map<number, string>();
  /** Locals that nobody needs any more, by type. */
  readonly #free: Record<ValueType, Local[]> = { i32: [], i64: [], v128: [] };
  readonly #lent: Local[] = [];
  #depth = 0;

  constructor(parameters: number) {
    this.#parameters = parameters;
  }

  /** Bytes so far. */
  get size(): number {
    return this.#bytes.length;
  }

  /** Names of locals, for those who read the code. */
  get names(): ReadonlyMap<number, string> {
    return this.#names;
  }

  /** A local for the whole function. */
  local(type: ValueType, name?: string): Local {
    this.#locals.push(type);
    const index = this.#parameters + this.#locals.length - 1;
    if (name !== undefined) this.#names.set(index, name);
    return { index, type };
  }

  /** A local until `releaseTemporaries`. */
  temporary(type: ValueType): Local {
    const local = this.#free[type].pop() ?? this.local(type);
    this.#lent.push(local);
    return local;
  }

  /** The values of all temporaries have been used. */
  releaseTemporaries(): void {
    for (const local of this.#lent) this.#free[local.type].push(local);
    this.#lent.length = 0;
  }

  op(name: PlainOpcode): void {
    this.#opcode(OPCODES[name][0]);
  }

  #opcode(code: number): void {
    if (code <= 0xff) this.#bytes.push(code);
    else {
      this.#bytes.push(VECTOR_PREFIX);
      unsigned(this.#bytes, code & 0xff);
    }
  }

  i32(value: number): void {
    this.#bytes.push(OPCODES['i32.const'][0]);
    signed(this.#bytes, value | 0);
  }

  i64(value: bigint): void {
    this.#bytes.push(OPCODES['i64.const'][0]);
    signedWide(this.#bytes, BigInt.asIntN(64, value));
  }

  get({ index }: Local): void {
    this.#bytes.push(OPCODES['local.get'][0]);
    unsigned(this.#bytes, index);
  }

  set({ index }: Local): void {
    this.#bytes.push(OPCODES['local.set'][0]);
    unsigned(this.#bytes, index);
  }

  tee({ index }: Local): void {
    this.#bytes.push(OPCODES['local.tee'][0]);
    unsigned(this.#bytes, index);
  }

  /** A load or store at the address on the stack plus a constant. */
  memory(name: MemoryOpcode, offset: number): void {
    this.#opcode(OPCODES[name][0]);
    this.#bytes.push(0); // no alignment is promised
    unsigned(this.#bytes, offset);
  }

  /** A load from a constant address. */
  loadAt(name: MemoryOpcode, address: number): void {
    this.i32(0);
    this.memory(name, address);
  }

  /** An instruction on one element of a vector. */
  lane(name: LaneOpcode, index: number): void {
    this.#opcode(OPCODES[name][0]);
    this.#bytes.push(index);
  }

  /** Sixteen bytes of the two vectors on the stack: numbers below 16 are of the lower one. */
  shuffle(sources: readonly number[]): void {
    assert(sources.length === 16, 'a source for each byte of a vector', { sources: sources.length });
    this.#opcode(OPCODES['i8x16.shuffle'][0]);
    this.#bytes.push(...sources);
  }

  call(index: number): void {
    this.#bytes.push(OPCODES.call[0]);
    unsigned(this.#bytes, index);
  }

  /** Calls the function whose number in table 0 is on the stack. */
  callIndirect(type: number): void {
    this.#bytes.push(OPCODES.call_indirect[0]);
    unsigned(this.#bytes, type);
    this.#bytes.push(0);
  }

  /** Opens a block that `end` closes. A branch to its label goes behind it, or to the beginning of a loop. */
  open(kind: 'block' | 'loop' | 'if', result?: ValueType): Label {
    this.#bytes.push(OPCODES[kind][0], result === undefined ? NO_RESULT : VALUE_TYPES[result]);
    return { depth: this.#depth++ };
  }

  otherwise(): void {
    this.op('else');
  }

  end(): void {
    this.#depth--;
    this.op('end');
  }

  br(label: Label): void {
    this.#branch(OPCODES.br[0], label);
  }

  brIf(label: Label): void {
    this.#branch(OPCODES.br_if[0], label);
  }

  #branch(code: number, { depth }: Label): void {
    assert(depth < this.#depth, 'a branch out of a block that was closed');
    this.#bytes.push(code);
    unsigned(this.#bytes, this.#depth - 1 - depth);
  }

  /** Declarations of locals and the code, as the binary format has them, without the length before it. */
  body(): readonly number[] {
    assert(this.#depth === 0, 'a block is still open');
    const declarations: number[] = [];
    let groups = 0;
    for (let first = 0; first < this.#locals.length; groups++) {
      const type = this.#locals[first] as ValueType;
      let next = first;
      while (this.#locals[next] === type) next++;
      unsigned(declarations, next - first);
      declarations.push(VALUE_TYPES[type]);
      first = next;
    }
    const result: number[] = [];
    unsigned(result, groups);
    for (const byte of declarations) result.push(byte);
    for (const byte of this.#bytes) result.push(byte);
    result.push(OPCODES.end[0]);
    return result;
  }
}
