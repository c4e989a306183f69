// Expressions as WebAssembly: each node pushes its value. Values of 64 bits are i64; narrower ones, conditions included, are
// i32 with zeros above their width; vectors are v128. A node that is used more than once is computed once, into a local.
import { assertNever } from '../error.js';
import type {
  AnyMemoryPlace,
  Binary,
  BinaryOperator,
  Compare,
  Divide,
  Effect,
  Expression,
  Resize,
  SystemBit,
  Unary,
} from '../expression/nodes.js';
import { nodesOf, operandsOf, valuesOf } from '../expression/walk.js';
import { slotOf } from '../register/register-file.js';
import type { AccessesCode } from './accesses-code.js';
import { divideFitsCode, divisionCode } from './divide-code.js';
import type { FlagsCode } from './flags-code.js';
import { findPlace, loadPlace } from './memory-code.js';
import { mulHighCode } from './multiply-code.js';
import type { RegistersCode } from './registers-code.js';
import { vectorCode } from './vector-code.js';
import type { VectorRegistersCode } from './vector-registers-code.js';
import type { FunctionCode, Label, Local, ValueType } from './wasm/function-code.js';

/** What an instruction is compiled within. */
export interface CodeScope {
  readonly code: FunctionCode;
  readonly registers: RegistersCode;
  readonly vectors: VectorRegistersCode;
  readonly flags: FlagsCode;
  readonly mode64: boolean;
  readonly user: boolean;
  /** Undefined in the plain variant. */
  readonly accesses: AccessesCode | undefined;
}

/** The type that holds values of a width. */
const typeOf = (width: number): ValueType => (width === 64 ? 'i64' : width === 128 ? 'v128' : 'i32');

/** The values of one effect. Everything that it pushes is found before anything is written. */
export class ValueCode {
  readonly scope: CodeScope;
  readonly slow: Label;
  /** Vectors that hold results of floating-point operations; of scalars as well. */
  readonly floats = new Map<Expression, Local>();
  readonly #uses = new Map<Expression, number>();
  readonly #known = new Map<Expression, Local>();
  readonly #found = new Map<AnyMemoryPlace, Local>();
  readonly #written: ReadonlySet<Expression>;

  constructor(scope: CodeScope, effect: Effect, slow: Label) {
    this.scope = scope;
    this.slow = slow;
    const count = (node: Expression): void => void this.#uses.set(node, (this.#uses.get(node) ?? 0) + 1);
    for (const node of nodesOf(effect)) for (const operand of operandsOf(node)) count(operand);
    for (const statement of effect) for (const value of valuesOf(statement)) count(value);
    this.#written = new Set(effect.flatMap((statement) => (statement.kind === 'write' ? [statement.place] : [])));
  }

  /** Where a memory place is in the hot memory; found for writing if the effect writes it. */
  place(place: AnyMemoryPlace): Local {
    const known = this.#found.get(place);
    if (known !== undefined) return known;
    const { code, mode64, user, accesses } = this.scope;
    const observed = accesses !== undefined;
    const push = (node: Expression): void => this.push(node);
    const isWritten = this.#written.has(place);
    const found = findPlace({ code, mode64, user, observed, slow: this.slow, push }, place, isWritten);
    this.#found.set(place, found);
    return found;
  }

  /** A value in a local of its own. */
  toLocal(node: Expression): Local {
    const known = this.#known.get(node);
    if (known !== undefined) return known;
    this.push(node);
    const again = this.#known.get(node);
    if (again !== undefined) {
      this.scope.code.op('drop');
      return again;
    }
    const local = this.scope.code.temporary(typeOf(node.width));
    this.scope.code.set(local);
    this.#known.set(node, local);
    return local;
  }

  /** Pushes a value. */
  push(node: Expression): void {
    const { code } = this.scope;
    const known = this.#known.get(node);
    if (known !== undefined) {
      code.get(known);
      return;
    }
    this.#compute(node);
    const isLeaf = node.kind === 'constant' || node.kind === 'register';
    if (isLeaf || (this.#uses.get(node) ?? 0) < 2) return;
    const local = code.temporary(typeOf(node.width));
    code.tee(local);
    this.#known.set(node, local);
  }

  #compute(node: Expression): void {
    const { code, registers, vectors, flags } = this.scope;
    switch (node.kind) {
      case 'constant':
        this.#constant(node.width, node.value);
        return;
      case 'register':
        registers.read(node);
        return;
      case 'memory':
      case 'vectorMemory':
        loadPlace(code, node, this.place(node));
        return;
      case 'vectorRegister':
        vectors.read(node.index);
        return;
      case 'flag':
        flags.flag(node.flag);
        return;
      case 'condition':
        flags.condition(node.code);
        return;
      case 'binary':
        this.#binary(node);
        return;
      case 'compare':
        this.#compare(node);
        return;
      case 'unary':
        this.#unary(node);
        return;
      case 'select':
        this.push(node.whenTrue);
        this.push(node.whenFalse);
        this.push(node.condition);
        code.op('select');
        return;
      case 'resize':
        this.#resize(node);
        return;
      case 'divide':
        this.#divide(node);
        return;
      case 'divideFits':
        divideFitsCode(this, node);
        return;
      case 'systemBit':
        this.#systemBit(node);
        return;
      case 'lane':
      case 'withLane':
      case 'vector':
      case 'float':
        vectorCode(this, node);
        return;
      default:
        assertNever(node);
    }
  }

  #constant(width: number, value: bigint): void {
    if (width === 128) {
      this.scope.code.i64(value); // no vector but the one of zeros is written down as a constant
      this.scope.code.op('i64x2.splat');
    } else if (width === 64) this.scope.code.i64(value);
    else this.scope.code.i32(Number(BigInt.asIntN(32, value)));
  }

  /** Cuts the value on the stack to a width below 32. */
  mask(width: number): void {
    if (width >= 32) return;
    this.scope.code.i32(2 ** width - 1);
    this.scope.code.op('i32.and');
  }

  /** Spreads the sign of a value of 8, 16 or 32 bits over 32. */
  spreadSign(width: number): void {
    if (width === 8) this.scope.code.op('i32.extend8_s');
    else if (width === 16) this.scope.code.op('i32.extend16_s');
    else if (width === 1) {
      // 0 or -1
      const { code } = this.scope;
      code.i32(31);
      code.op('i32.shl');
      code.i32(31);
      code.op('i32.shr_s');
    }
  }

  #divide(node: Divide): void {
    divisionCode(this, node);
  }

  #binary(node: Binary): void {
    const { operator, width, left, right } = node;
    if (operator === 'mulHighSigned' || operator === 'mulHighUnsigned') {
      mulHighCode(this, node);
      return;
    }
    if (isShift(operator)) {
      this.#shift(node);
      return;
    }
    this.push(left);
    this.push(right);
    const type = width === 64 ? 'i64' : 'i32';
    this.scope.code.op(`${type}.${operator}`);
    if (operator === 'add' || operator === 'sub' || operator === 'mul') this.mask(width);
  }

  #shift({ operator, width, left, right }: Binary): void {
    if (operator === 'rol' || operator === 'ror') this.#rotate(operator, width, left, right);
    else if (operator === 'sar') this.#shiftArithmetic(width, left, right);
    else this.#shiftLogical(operator === 'shl' ? 'shl' : 'shr_u', width, left, right);
  }

  /** A count of the width or more gives 0, where WebAssembly takes the count modulo 32 or 64. */
  #shiftLogical(operator: 'shl' | 'shr_u', width: number, left: Expression, right: Expression): void {
    const { code } = this.scope;
    const type = width === 64 ? 'i64' : 'i32';
    if (right.kind === 'constant') {
      if (right.value >= BigInt(width)) {
        this.#constant(width, 0n);
        return;
      }
      this.push(left);
      this.push(right);
      code.op(`${type}.${operator}`);
    } else {
      this.push(left);
      const count = this.toLocal(right);
      code.get(count);
      code.op(`${type}.${operator}`);
      this.#constant(width, 0n);
      code.get(count);
      this.#constant(width, BigInt(width === 64 ? 64 : 32));
      code.op(`${type}.lt_u`);
      code.op('select');
    }
    if (operator === 'shl') this.mask(width);
  }

  #shiftArithmetic(width: number, left: Expression, right: Expression): void {
    const { code } = this.scope;
    const type = width === 64 ? 'i64' : 'i32';
    const most = width === 64 ? 63 : 31;
    this.push(left);
    this.spreadSign(width);
    if (right.kind === 'constant') this.#constant(width, right.value > BigInt(most) ? BigInt(most) : right.value);
    else {
      const count = this.toLocal(right);
      code.get(count);
      this.#constant(width, BigInt(most));
      code.get(count);
      this.#constant(width, BigInt(most));
      code.op(`${type}.lt_u`);
      code.op('select');
    }
    code.op(`${type}.shr_s`);
    this.mask(width);
  }

  #rotate(operator: 'rol' | 'ror', width: number, left: Expression, right: Expression): void {
    const { code } = this.scope;
    if (width >= 32) {
      this.push(left);
      this.push(right);
      code.op(`${width === 64 ? 'i64' : 'i32'}.${operator === 'rol' ? 'rotl' : 'rotr'}`);
      return;
    }
    const value = this.toLocal(left);
    const count = code.temporary('i32');
    this.push(right);
    code.i32(width - 1);
    code.op('i32.and');
    code.set(count);
    code.get(value);
    code.get(count);
    code.op(operator === 'rol' ? 'i32.shl' : 'i32.shr_u');
    code.get(value);
    code.i32(width);
    code.get(count);
    code.op('i32.sub');
    code.op(operator === 'rol' ? 'i32.shr_u' : 'i32.shl');
    code.op('i32.or');
    this.mask(width);
  }

  #compare({ operator, left, right }: Compare): void {
    const { width } = left;
    const isSigned = operator === 'lessSigned';
    for (const operand of [left, right]) {
      this.push(operand);
      if (isSigned) this.spreadSign(width);
    }
    const name = operator === 'equal' ? 'eq' : isSigned ? 'lt_s' : 'lt_u';
    this.scope.code.op(`${width === 64 ? 'i64' : 'i32'}.${name}`);
  }

  #unary({ operator, operand, width }: Unary): void {
    const { code } = this.scope;
    const type = width === 64 ? 'i64' : 'i32';
    if (operator === 'byteSwap') {
      this.#byteSwap(operand, width);
      return;
    }
    if (operator === 'neg') {
      this.#constant(width, 0n);
      this.push(operand);
      code.op(`${type}.sub`);
      this.mask(width);
      return;
    }
    this.push(operand);
    switch (operator) {
      case 'not':
        this.#constant(width, -1n);
        code.op(`${type}.xor`);
        this.mask(width);
        return;
      case 'popCount':
        code.op(`${type}.popcnt`);
        return;
      case 'leadingZeros':
        code.op(`${type}.clz`);
        if (width < 32) {
          code.i32(32 - width);
          code.op('i32.sub');
        }
        return;
      case 'trailingZeros':
        if (width < 32) {
          code.i32(2 ** width); // ends the search of a 0
          code.op('i32.or');
        }
        code.op(`${type}.ctz`);
        return;
      default:
        assertNever(operator);
    }
  }

  /** Bytes exchanged in pairs, then pairs of them, and so on. */
  #byteSwap(operand: Expression, width: number): void {
    const { code } = this.scope;
    const type = width === 64 ? 'i64' : 'i32';
    const value = code.temporary(type);
    this.push(operand);
    code.set(value);
    if (width === 8) {
      code.get(value);
      return;
    }
    for (const [shift, mask] of SWAPS) {
      if (shift >= width) continue;
      code.get(value);
      this.#constant(width, mask);
      code.op(`${type}.and`);
      this.#constant(width, BigInt(shift));
      code.op(`${type}.shl`);
      code.get(value);
      this.#constant(width, BigInt(shift));
      code.op(`${type}.shr_u`);
      this.#constant(width, mask);
      code.op(`${type}.and`);
      code.op(`${type}.or`);
      code.set(value);
    }
    code.get(value);
    this.mask(width);
  }

  #resize({ operand, width, signed }: Resize): void {
    const { code } = this.scope;
    const from = operand.width;
    this.push(operand);
    if (width > from) {
      if (signed && from < 32) this.spreadSign(from);
      if (width === 64) code.op(signed ? 'i64.extend_i32_s' : 'i64.extend_i32_u');
      else if (signed) this.mask(width);
      return;
    }
    if (from === 64 && width < 64) code.op('i32.wrap_i64');
    this.mask(width);
  }

  #systemBit({ register, bit }: SystemBit): void {
    const { code } = this.scope;
    code.loadAt('i32.load', slotOf(register) * 8);
    code.i32(bit);
    code.op('i32.shr_u');
    code.i32(1);
    code.op('i32.and');
  }
}

const isShift = (operator: BinaryOperator): operator is 'shl' | 'shr' | 'sar' | 'rol' | 'ror' =>
  operator === 'shl' || operator === 'shr' || operator === 'sar' || operator === 'rol' || operator === 'ror';

const SWAPS = [
  [8, 0x00ff_00ff_00ff_00ffn],
  [16, 0x0000_ffff_0000_ffffn],
  [32, 0x0000_0000_ffff_ffffn],
] as const;
