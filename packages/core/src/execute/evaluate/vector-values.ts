// The values of vectors as steps. A vector lies where it is, or in a cell of four words; what is computed from vectors and
// has 64 bits or less is a Source like any other value. Rows of the tables do the computing (vector/, float/).
import { assertNever, InternalError } from '../../error.js';
import type {
  AnyMemoryPlace,
  Expression,
  FloatComputation,
  Lane,
  VectorComputation,
  VectorMemoryPlace,
  WithLane,
} from '../../expression/nodes.js';
import { FLOAT_OPERATIONS } from '../../float/operations.js';
import { slotOf, XMM_REGISTERS } from '../../register/register-file.js';
import { type Lanes, lanesOf } from '../../vector/lanes.js';
import { VECTOR_OPERATIONS } from '../../vector/operations.js';
import type { Access } from './address.js';
import type { EvaluationContext } from './context.js';
import { bitsOf, high, low, type Source, type Step, wordSource } from './source.js';
import { loadVector } from './vector-access.js';

/** The word of each XMM register. */
export const XMM_WORDS: readonly number[] = XMM_REGISTERS.map((name) => slotOf(name) * 2);
const MXCSR_WORD = slotOf('MXCSR') * 2;

/** What values of up to 64 bits do for vectors. */
interface ScalarValues {
  readonly steps: Step[];
  of(node: Expression): Source;
  copy(source: Source): Source;
  cell(): number;
  vectorCell(): number;
  access(place: AnyMemoryPlace): Access;
}

/** Nodes of up to 64 bits that this file evaluates. */
type FromVectors = Lane | VectorComputation | FloatComputation;

export function isFromVectors(node: Expression): node is FromVectors {
  return node.kind === 'lane' || node.kind === 'vector' || node.kind === 'float';
}

export class VectorValues {
  readonly #values: ScalarValues;
  readonly #context: EvaluationContext;
  readonly #words: Int32Array;
  readonly #lanes: Lanes;
  /** The first word of each vector that was evaluated. */
  readonly #places = new Map<Expression, number>();
  /** The word in which an operation leaves its exceptions. */
  readonly #flags = new Map<FloatComputation, number>();

  constructor(values: ScalarValues, context: EvaluationContext) {
    this.#values = values;
    this.#context = context;
    this.#words = context.words;
    this.#lanes = lanesOf(context.words);
  }

  /** The first word of a vector of 128 bits once the steps have run. */
  of(node: Expression): number {
    if (node.kind === 'vectorRegister') return XMM_WORDS[node.index] as number;
    let place = this.#places.get(node);
    if (place === undefined) {
      place = this.#evaluated(node);
      this.#places.set(node, place);
    }
    return place;
  }

  #evaluated(node: Expression): number {
    switch (node.kind) {
      case 'vectorMemory':
        return this.#load(node);
      case 'vector':
        return this.#vector(node, this.#values.vectorCell());
      case 'float':
        return this.#float(node, this.#values.vectorCell());
      case 'withLane':
        return this.#withLane(node);
      case 'constant':
        return this.#zero();
      default:
        throw new InternalError('a node that is no vector', { kind: node.kind });
    }
  }

  /** The source of a value of up to 64 bits. */
  scalar(node: FromVectors): Source {
    switch (node.kind) {
      case 'lane':
        return this.#lane(node);
      case 'vector':
        return wordSource(this.#vector(node, this.#values.vectorCell()), node.width);
      case 'float':
        return wordSource(this.#float(node, this.#values.cell()), node.width);
      default:
        return assertNever(node);
    }
  }

  /** The word with the exceptions of an operation. */
  flagsOf(node: FloatComputation): number {
    if (node.width === 128) this.of(node);
    else this.#values.of(node);
    const word = this.#flags.get(node);
    if (word === undefined) throw new InternalError('a floating-point operation that was not evaluated');
    return word;
  }

  #lane({ operand, width, index }: Lane): Source {
    const place = this.of(operand);
    if (width === 64) return wordSource(place + index * 2, 64);
    const bit = index * width;
    const source = bitsOf(wordSource(place + (bit >> 5), 32), bit & 31, width);
    if (source === undefined) throw new InternalError('an element across two words', { width, index });
    return source;
  }

  #load(place: VectorMemoryPlace): number {
    const to = this.#values.vectorCell();
    this.#values.steps.push(loadVector(this.#context, place, this.#values.access(place), to));
    return to;
  }

  /** Where an operand lies: a vector, or a value of up to 64 bits with nothing of its word or slot cut off. */
  #operand(node: Expression | undefined): number {
    if (node === undefined) return 0;
    if (node.width === 128) return this.of(node);
    const source = this.#values.of(node);
    const isWhole = source.shift === 0 && source.mask === -1 && (node.width !== 64 || source.highMask === -1);
    return isWhole ? source.word : this.#values.copy(source).word;
  }

  #vector({ operation, operands, width, immediate }: VectorComputation, to: number): number {
    const lanes = this.#lanes;
    const { compute } = VECTOR_OPERATIONS[operation];
    const [left, right, third] = [0, 1, 2].map((index) => this.#operand(operands[index])) as [number, number, number];
    // A number is computed from vectors as wide as the operands are.
    const bytes = (width === 32 ? (operands[0]?.width ?? 128) : width) / 8;
    this.#values.steps.push(() => compute(lanes, to, left, right, bytes, immediate, third));
    return to;
  }

  #float(node: FloatComputation, to: number): number {
    const words = this.#words;
    const lanes = this.#lanes;
    const { element, from, to: width } = FLOAT_OPERATIONS[node.operation];
    const left = this.#operand(node.operands[0]);
    const right = node.operands[1] === undefined ? left : this.#operand(node.operands[1]);
    const flags = this.#values.cell();
    this.#flags.set(node, flags);
    const { immediate } = node;
    const count = node.width === 128 ? 128 / Math.max(from, width) : 1;
    const [operandStep, resultStep] = [from / 32, width / 32];
    const end = node.width === 128 ? to + 4 : to + resultStep;
    this.#values.steps.push(() => {
      const control = words[MXCSR_WORD] as number;
      let found = 0;
      for (let index = 0; index < count; index++) {
        const source = index * operandStep;
        found |= element(lanes, to + index * resultStep, left + source, right + source, control, immediate, index);
      }
      for (let word = to + count * resultStep; word < end; word++) words[word] = 0;
      words[flags] = found;
    });
    return to;
  }

  #withLane({ operand, index, value }: WithLane): number {
    const words = this.#words;
    const { bytes } = this.#lanes;
    const isZero = operand.kind === 'constant';
    const from = isZero ? 0 : this.of(operand);
    const source = this.#values.of(value);
    const to = this.#values.vectorCell();
    const at = to * 4 + (index * value.width) / 8;
    const size = value.width / 8;
    const word = at / 4;
    this.#values.steps.push(() => {
      if (isZero) words.fill(0, to, to + 4);
      else words.copyWithin(to, from, from + 4);
      if (size >= 4) words[word] = low(words, source);
      else for (let byte = 0; byte < size; byte++) bytes[at + byte] = low(words, source) >> (byte * 8);
      if (size === 8) words[word + 1] = high(words, source);
    });
    return to;
  }

  #zero(): number {
    const words = this.#words;
    const to = this.#values.vectorCell();
    this.#values.steps.push(() => void words.fill(0, to, to + 4));
    return to;
  }
}
