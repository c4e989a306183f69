// Effective addresses: base + index * scale + displacement as one formula, found by the shape of the expression and
// wrapped at the address size; then segmentation (SDM, "Segment Registers" in 64-bit mode and "Logical Addresses").
import type { AnyMemoryPlace, BinaryOperator, Expression, SegmentName } from '../../expression/nodes.js';
import { type LinearMemory, type SegmentIndex, wide } from '../../memory/linear-memory.js';
import { isFlat, segmentWord } from '../../memory/segmentation.js';
import { SEGMENT_REGISTERS, slotOf } from '../../register/register-file.js';
import type { EvaluationContext } from './context.js';
import { constantSource, halves, high, low, putWide, type Source, type Step, wordSource } from './source.js';
import { carryInto } from './wide-operators.js';

/** A sum of two sources, the second shifted left by 0 to 31, and a constant. */
export interface Sum {
  readonly base: Source;
  readonly index: Source;
  readonly shift: number;
  readonly low: number;
  readonly high: number;
  /** What stays of the sum: -1 and -1 for 64 bits, -1 and 0 for 32, 0xffff and 0 for 16. */
  readonly lowMask: number;
  readonly highMask: number;
}

/** Where an access goes: a sum that is a linear address, or an offset that `segmented` checks. */
export interface Access {
  readonly sum: Sum;
  readonly segmented: boolean;
  readonly segment: SegmentIndex;
  /** Where the segment register is. */
  readonly segmentWord: number;
  readonly bytes: number;
}

/** The low half of a sum; the high half goes to `wide.high`. */
function sumOf(words: Int32Array, sum: Sum): number {
  const base = low(words, sum.base);
  const plain = (base + sum.low) | 0;
  const plainHigh = high(words, sum.base) + sum.high + carryInto(base, plain);
  if (sum.index === NOTHING) {
    wide.high = plainHigh & sum.highMask;
    return plain & sum.lowMask;
  }
  const index = low(words, sum.index);
  const total = (plain + (index << sum.shift)) | 0;
  // Two shifts for the bits that cross, because a shift by 32 would shift by 0.
  const indexHigh = (high(words, sum.index) << sum.shift) | ((index >>> 1) >>> (31 - sum.shift));
  wide.high = (plainHigh + indexHigh + carryInto(plain, total)) & sum.highMask;
  return total & sum.lowMask;
}

/** The low half alone. */
function lowSumOf(words: Int32Array, { base, index, shift, low: constant, lowMask }: Sum): number {
  const plain = low(words, base) + constant;
  return (index === NOTHING ? plain : plain + (low(words, index) << shift)) & lowMask;
}

/** Puts a sum into a slot. */
export function sumStep(words: Int32Array, to: number, sum: Sum): Step {
  return () => {
    const total = sumOf(words, sum);
    putWide(words, to, total, wide.high);
  };
}

/** The low half of the linear address of an access; the high half goes to `wide.high`. */
export function linearOf(words: Int32Array, memory: LinearMemory, access: Access, isWrite: boolean): number {
  if (!access.segmented) return sumOf(words, access.sum);
  const offset = lowSumOf(words, access.sum);
  const { segmentWord, bytes } = access;
  const linear = isFlat(words, segmentWord, offset, bytes)
    ? ((words[segmentWord + 2] as number) + offset) | 0
    : memory.segmented(offset, access.segment, bytes, isWrite);
  wide.high = 0;
  return linear;
}

const NOTHING = constantSource(0n);

/** All sums are made here: objects of one hidden class. */
function sumFrom(base: Source, index: Source, shift: number, constant: bigint, width: 16 | 32 | 64): Sum {
  const [constantLow, constantHigh] = halves(constant);
  const [lowMask, highMask] = [width === 16 ? 0xffff : -1, width === 64 ? -1 : 0];
  return { base, index, shift, low: constantLow, high: constantHigh, lowMask, highMask };
}

/** One or two sources as a sum. */
export function plainSum(base: Source, index = NOTHING): Sum {
  return sumFrom(base, index, 0, 0n, 64);
}

/** The sum plus the base of a segment, after it wrapped; undefined if there is no room for another source. */
function withSegmentBase(sum: Sum, base: Source): Sum | undefined {
  if (sum.index !== NOTHING || sum.highMask !== -1) return undefined;
  return sumFrom(sum.base, base, 0, (BigInt(sum.high) << 32n) | BigInt(sum.low >>> 0), 64);
}

/** Terms of a sum of one width. */
interface Terms {
  readonly plain: Source[];
  readonly shifted: { readonly source: Source; readonly shift: number }[];
  constant: bigint;
}

/**
 * An expression as a sum, if it has the shape of an effective address: `leaf` gives the source of what needs no step, and
 * undefined for all else.
 */
export function sumShape(offset: Expression, leaf: (node: Expression) => Source | undefined): Sum | undefined {
  const wraps =
    offset.kind === 'resize' && !offset.signed && (offset.operand.width === 32 || offset.operand.width === 16);
  const inner = wraps ? offset.operand : offset;
  if (inner.width !== 64 && inner.width !== 32 && inner.width !== 16) return undefined;
  const terms: Terms = { plain: [], shifted: [], constant: 0n };
  if (!collect(inner, terms, leaf)) return undefined;
  const [first, second, ...more] = [...terms.plain.map((source) => ({ source, shift: 0 })), ...terms.shifted];
  const [base, index] = first !== undefined && first.shift > 0 ? [undefined, first] : [first, second];
  if (more.length > 0 || (index === first && second !== undefined)) return undefined;
  return sumFrom(base?.source ?? NOTHING, index?.source ?? NOTHING, index?.shift ?? 0, terms.constant, inner.width);
}

function collect(node: Expression, terms: Terms, leaf: (node: Expression) => Source | undefined): boolean {
  if (node.kind === 'constant') {
    terms.constant += node.value;
    return true;
  }
  const source = leaf(node);
  if (source !== undefined) {
    terms.plain.push(source);
    return true;
  }
  if (node.kind !== 'binary') return false;
  if (node.operator === 'add') return collect(node.left, terms, leaf) && collect(node.right, terms, leaf);
  if (node.right.kind !== 'constant') return false;
  if (node.operator === 'sub') {
    terms.constant -= node.right.value;
    return collect(node.left, terms, leaf);
  }
  const shift = shiftOf(node.operator, node.right.value);
  const scaled = shift === undefined ? undefined : leaf(node.left);
  if (shift === undefined || scaled === undefined) return false;
  terms.shifted.push({ source: scaled, shift });
  return true;
}

/** The shift that a scale is, written as one or as a product. */
function shiftOf(operator: BinaryOperator, by: bigint): number | undefined {
  if (operator === 'shl') return by < 32n ? Number(by) : undefined;
  const shift = operator === 'mul' ? [1n, 2n, 4n, 8n].indexOf(by) : -1;
  return shift < 0 ? undefined : shift;
}

/**
 * The sum that gives the linear address of a memory place, or the offset outside 64-bit mode: `shape` if the offset has
 * one, else what `evaluate` gives.
 */
export function addressSum(
  place: AnyMemoryPlace,
  context: EvaluationContext,
  shape: Sum | undefined,
  evaluate: () => Source,
): Sum {
  const base = segmentBase(place, context);
  if (base === undefined) return shape ?? plainSum(evaluate());
  return (shape === undefined ? undefined : withSegmentBase(shape, base)) ?? plainSum(evaluate(), base);
}

/** An access to a memory place. */
export function accessTo({ segment, width }: AnyMemoryPlace, sum: Sum, segmented: boolean): Access {
  const index = segmentIndex(segment);
  return { sum, segmented, segment: index, segmentWord: segmentWord(index), bytes: width / 8 };
}

/** The base of FS or GS, which 64-bit mode adds to an offset; undefined for the other segments and modes. */
function segmentBase(place: AnyMemoryPlace, { mode64 }: EvaluationContext): Source | undefined {
  if (!mode64 || (place.segment !== 'FS' && place.segment !== 'GS')) return undefined;
  return wordSource(slotOf(`${place.segment}.base`) * 2, 64);
}

function segmentIndex(segment: SegmentName): SegmentIndex {
  return SEGMENT_REGISTERS.indexOf(segment) as SegmentIndex;
}
