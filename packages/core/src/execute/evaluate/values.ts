// The values of an effect as steps: each node that is not read in place gets a cell and one closure that fills it.
import { assert, assertNever, InternalError } from '../../error.js';
import type {
  AnyMemoryPlace,
  Binary,
  Compare,
  Divide,
  DivideFits,
  Effect,
  Expression,
  MemoryPlace,
  Resize,
  Select,
  SystemBit,
} from '../../expression/nodes.js';
import { operandsOf } from '../../expression/walk.js';
import { slotOf } from '../../register/register-file.js';
import { RFLAGS } from '../../register/rflags.js';
import { TLB_OFFSET } from '../../state/workbench.js';
import { LOADS, MODIFIES } from './access.js';
import { type Access, accessTo, addressSum, plainSum, type Sum, sumShape, sumStep } from './address.js';
import { ENDED_WORD } from './commit.js';
import type { EvaluationContext } from './context.js';
import { divisionStep } from './divide.js';
import { CONDITION_READERS, FLAG_READERS, RFLAGS_WORD } from './flags.js';
import { narrowBinary, narrowComparison, narrowSelect, narrowSignExtend, narrowUnary } from './narrow-operators.js';
import {
  bitsOf,
  constantSource,
  high,
  isConstantSource,
  knownSource,
  low,
  put,
  putWide,
  readsSlot,
  registerSource,
  type Source,
  type Step,
  wordSource,
} from './source.js';
import { isFromVectors, VectorValues } from './vector-values.js';
import { wideBinary, wideComparison, wideSelect, wideUnary } from './wide-operators.js';

const FIRST_CELL = ENDED_WORD + 2;
const END_OF_CELLS = TLB_OFFSET / 4;
const DIRECTION = bitsOf(wordSource(RFLAGS_WORD, 32), RFLAGS.bits.DF, 1);

interface Division {
  readonly node: Divide | DivideFits;
  readonly quotient: number;
  readonly remainder: number;
  readonly fits: number;
}

/** Lowers the values of one effect. */
export class Values {
  /** In the order in which they have to run. */
  readonly steps: Step[] = [];
  readonly #context: EvaluationContext;
  readonly #words: Int32Array;
  readonly #sources = new Map<Expression, Source>();
  readonly #accesses = new Map<AnyMemoryPlace, Access>();
  /** Values of 128 bits, and what is computed from them. */
  readonly vectors: VectorValues;
  readonly #divisions: Division[] = [];
  /** Memory that the effect writes: if it is read as well, it is read for writing. */
  readonly #written: ReadonlySet<Expression>;
  /** DF is never pending: an effect that does not write it reads it in place. */
  readonly #writesDirection: boolean;
  #nextCell = FIRST_CELL;

  constructor(effect: Effect, context: EvaluationContext) {
    this.#context = context;
    this.#words = context.words;
    this.vectors = new VectorValues(this, context);
    this.#writesDirection = effect.some((statement) => statement.kind === 'setFlags' && 'DF' in statement.flags);
    this.#written = new Set(effect.flatMap((statement) => (statement.kind === 'write' ? [statement.place] : [])));
  }

  /** A slot for a value, by its word. */
  cell(): number {
    const cell = this.#nextCell;
    assert(cell < END_OF_CELLS, 'an effect with more values than there are cells');
    this.#nextCell += 2;
    return cell;
  }

  /** Four words for a vector, at a multiple of 16 bytes. */
  vectorCell(): number {
    this.#nextCell += (4 - (this.#nextCell & 3)) & 3;
    const cell = this.cell();
    this.cell();
    return cell;
  }

  /** Where the value of a node is once the steps have run. */
  of(node: Expression): Source {
    const source = this.inPlace(node) ?? this.#prepared(node);
    if (source !== undefined) return source;
    const to = this.cell();
    const step = this.#step(node, to);
    const result = this.#isConstant(node) ? this.#folded(step, to) : wordSource(to, node.width);
    if (!isConstantSource(result)) this.steps.push(step);
    this.#sources.set(node, result);
    return result;
  }

  /** Whether a node computes and all that it computes with is known. */
  #isConstant(node: Expression): boolean {
    const operands = operandsOf(node).map((operand) => this.inPlace(operand));
    return (
      node.kind !== 'memory' && operands.length > 0 && operands.every((source) => source && isConstantSource(source))
    );
  }

  /** The result of a step that always gives the same one. */
  #folded(step: Step, to: number): Source {
    step();
    return knownSource(this.#words[to] ?? 0, this.#words[to + 1] ?? 0);
  }

  /**
   * Evaluates what a node is computed from. The node itself is left to `stepInto`, at the end of the instruction, unless
   * it has to be evaluated now: loads may fault, and flags will change.
   */
  prepare(node: Expression): void {
    if (this.inPlace(node) !== undefined || this.#prepared(node) !== undefined) return;
    if (node.kind === 'memory' || node.kind === 'flag' || node.kind === 'condition') this.of(node);
  }

  /** The step of a prepared node; undefined if the node is in place, or computed from one of the slots. */
  stepInto(node: Expression, to: number, slots: readonly number[]): Step | undefined {
    if (this.inPlace(node) !== undefined) return undefined;
    const sum = this.#nestedSum(node);
    const sources = sum === undefined ? operandsOf(node).map((operand) => this.of(operand)) : [sum.base, sum.index];
    const isOverwritten = slots.some((slot) => sources.some((source) => readsSlot(source, slot)));
    return isOverwritten ? undefined : this.#step(node, to);
  }

  /** Evaluates a node into a slot that is not one of the cells. */
  into(node: Expression, to: number): void {
    const source = this.inPlace(node) ?? this.#prepared(node);
    this.steps.push(source === undefined ? this.#step(node, to) : copyStep(this.#words, to, source));
  }

  /** A value in a cell of its own, for a source that would change before it is read. */
  copy(source: Source): Source {
    const to = this.cell();
    this.steps.push(copyStep(this.#words, to, source));
    return wordSource(to, 64);
  }

  /** Where an access to a memory place goes; its offset is evaluated now. */
  access(place: AnyMemoryPlace): Access {
    const known = this.#accesses.get(place);
    if (known !== undefined) return known;
    const shape = sumShape(place.offset, (node) => this.inPlace(node));
    const sum = addressSum(place, this.#context, shape, () => this.of(place.offset));
    const access = accessTo(place, sum, !this.#context.mode64);
    this.#accesses.set(place, access);
    return access;
  }

  /** Whether the place has been read for writing, so that a store to it cannot fault. */
  isModified(place: MemoryPlace): boolean {
    return this.#sources.has(place);
  }

  /** Reads a place that will be written, for its faults alone. */
  try(place: MemoryPlace): Step {
    return this.#modify(place, this.cell());
  }

  /** Reads a place for writing; from then on its access is the linear address that was found. */
  #modify(place: MemoryPlace, to: number): Step {
    const access = this.access(place);
    const address = this.cell();
    this.#accesses.set(place, accessTo(place, plainSum(wordSource(address, 64)), false));
    return MODIFIES[place.width](this.#words, this.#context.memory, access, to, address);
  }

  /** The source of a node that needs no step: a leaf, what has a cell already, or some bits of either. */
  inPlace(node: Expression): Source | undefined {
    if (node.kind === 'constant') return constantSource(node.value);
    if (node.kind === 'register') return registerSource(node);
    if (node.kind === 'systemBit') return systemBitSource(node);
    const known = this.#sources.get(node);
    if (known !== undefined) return known;
    if (node.kind === 'flag') return node.flag === 'DF' && !this.#writesDirection ? DIRECTION : undefined;
    if (node.kind === 'resize') return this.#resizeInPlace(node);
    if (node.kind === 'binary') return this.#shiftInPlace(node);
    if (node.kind === 'divide' || node.kind === 'divideFits') return this.#divisionInPlace(node);
    return undefined;
  }

  #resizeInPlace({ operand, width, signed }: Resize): Source | undefined {
    if (width > operand.width && signed) return undefined;
    if (width === 64) return this.inPlace(operand);
    const shift = constantShift(operand);
    const shifted = shift === undefined ? undefined : this.inPlace(shift.left);
    const bits = shift === undefined || shifted === undefined ? undefined : bitsOf(shifted, shift.count, width);
    if (bits !== undefined) return bits;
    const source = this.inPlace(operand);
    return source === undefined ? undefined : bitsOf(source, 0, width);
  }

  /** A logical shift right by a constant is a matter of where bits are read, unless they are in both halves. */
  #shiftInPlace(node: Binary): Source | undefined {
    const shift = constantShift(node);
    if (shift === undefined || (node.width === 64 && shift.count < 32)) return undefined;
    const source = this.inPlace(shift.left);
    return source === undefined ? undefined : bitsOf(source, shift.count, node.width === 64 ? 32 : node.width);
  }

  #divisionInPlace(node: Divide | DivideFits): Source | undefined {
    const known = this.#divisions.find((division) => isSameDivision(division.node, node));
    if (known === undefined) return undefined;
    return node.kind === 'divide' ? wordSource(known[node.part], node.width) : wordSource(known.fits, 1);
  }

  /** Evaluates the operands of a node; then it may be found in place. */
  #prepared(node: Expression): Source | undefined {
    if (isFromVectors(node)) {
      const source = this.vectors.scalar(node);
      this.#sources.set(node, source);
      return source;
    }
    const shift = node.kind === 'resize' ? constantShift(node.operand) : undefined;
    if (shift !== undefined) {
      this.of(shift.left);
      const source = this.inPlace(node);
      if (source !== undefined) return source;
    }
    // The offset of memory is part of its access, which need not evaluate it to a cell.
    if (node.kind === 'memory') this.access(node);
    else if (this.#nestedSum(node) !== undefined) return undefined;
    else for (const operand of operandsOf(node)) this.of(operand);
    if (node.kind === 'divide' || node.kind === 'divideFits') this.#divide(node);
    return this.inPlace(node);
  }

  /** Base, index and displacement of LEA in one step instead of three. */
  #nestedSum(node: Expression): Sum | undefined {
    if (node.kind !== 'binary' || (node.operator !== 'add' && node.operator !== 'sub')) return undefined;
    const isNested = this.inPlace(node.left) === undefined || this.inPlace(node.right) === undefined;
    return isNested ? sumShape(node, (term) => this.inPlace(term)) : undefined;
  }

  #step(node: Expression, to: number): Step {
    const words = this.#words;
    const sum = this.#nestedSum(node);
    if (sum !== undefined) return sumStep(words, to, sum);
    switch (node.kind) {
      case 'memory':
        return this.#load(node, to);
      case 'flag':
        return readStep(words, to, FLAG_READERS[node.flag]);
      case 'condition':
        return readStep(words, to, CONDITION_READERS[node.code]);
      case 'binary':
        return node.width === 64
          ? wideBinary(node.operator, this.#binary(node, to))
          : narrowBinary(node.operator, this.#binary(node, to));
      case 'compare':
        return node.left.width === 64
          ? wideComparison(node.operator, this.#binary(node, to))
          : narrowComparison(node.operator, this.#binary(node, to));
      case 'unary': {
        const step = { words, to, operand: this.of(node.operand), width: node.width };
        return node.width === 64 ? wideUnary(node.operator, step) : narrowUnary(node.operator, step);
      }
      case 'select':
        return this.#select(node, to);
      case 'resize': // all other resizes are in place
        return narrowSignExtend({ words, to, operand: this.of(node.operand), width: node.operand.width }, node.width);
      case 'divide':
      case 'divideFits':
      case 'constant':
      case 'register':
      case 'systemBit':
      case 'lane':
      case 'vector':
      case 'float':
      case 'vectorRegister':
      case 'vectorMemory':
      case 'withLane':
        throw new InternalError('a value that is in place, or a vector, needs no step here', { kind: node.kind });
      default:
        return assertNever(node);
    }
  }

  #load(place: MemoryPlace, to: number): Step {
    if (this.#written.has(place)) return this.#modify(place, to);
    return LOADS[place.width](this.#words, this.#context.memory, this.access(place), to);
  }

  #binary({ left, right }: Binary | Compare, to: number) {
    return { words: this.#words, to, left: this.of(left), right: this.of(right), width: left.width };
  }

  #select({ condition, whenTrue, whenFalse, width }: Select, to: number): Step {
    const make = width === 64 ? wideSelect : narrowSelect;
    return make(this.#words, to, this.of(condition), this.of(whenTrue), this.of(whenFalse));
  }

  /** Quotient, remainder and whether they fit are one step, whichever is asked for first. */
  #divide(node: Divide | DivideFits): void {
    const { high: upper, low: lower, divisor, signed } = node;
    const operands = {
      high: this.of(upper),
      low: this.of(lower),
      divisor: this.of(divisor),
      signed,
      width: divisor.width,
    };
    const division = { node, quotient: this.cell(), remainder: this.cell(), fits: this.cell() };
    this.#divisions.push(division);
    this.steps.push(divisionStep({ words: this.#words, ...division, ...operands }));
  }
}

function systemBitSource({ register, bit }: SystemBit): Source | undefined {
  return bitsOf(wordSource(slotOf(register) * 2, 32), bit, 1);
}

function isSameDivision(left: Divide | DivideFits, right: Divide | DivideFits): boolean {
  return (
    left.signed === right.signed && left.high === right.high && left.low === right.low && left.divisor === right.divisor
  );
}

function constantShift(node: Expression): { readonly left: Expression; readonly count: number } | undefined {
  if (node.kind !== 'binary' || node.operator !== 'shr' || node.right.kind !== 'constant') return undefined;
  return node.right.value < BigInt(node.width) ? { left: node.left, count: Number(node.right.value) } : undefined;
}

function copyStep(words: Int32Array, to: number, source: Source): Step {
  return () => putWide(words, to, low(words, source), high(words, source));
}

function readStep(words: Int32Array, to: number, read: (words: Int32Array) => number): Step {
  return () => put(words, to, read(words));
}
