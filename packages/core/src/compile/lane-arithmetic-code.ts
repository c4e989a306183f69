// Operations on lanes that are several instructions of WebAssembly, one after the other: what SSE has and WebAssembly has
// not. Each is the row of the same name in vector/operations.ts.
import type { Expression, VectorComputation } from '../expression/nodes.js';
import type { ValueCode } from './value-code.js';
import type { FunctionCode, Local } from './wasm/function-code.js';
import type { PlainOpcode } from './wasm/opcodes.js';

/** Pushes the result of an operation on the vectors in locals. */
type OfVectors = (code: FunctionCode, left: Local, right: Local, node: VectorComputation) => void;
type Writer = (values: ValueCode, node: VectorComputation) => void;

/** Both operands in locals first; of one alone, that is both. */
function ofVectors(write: OfVectors): Writer {
  return (values, node) => {
    const [first, second = first] = node.operands;
    const left = values.toLocal(first as Expression);
    write(values.scope.code, left, second === first ? left : values.toLocal(second as Expression), node);
  };
}

/** A function of two vectors by one instruction. */
function apply(code: FunctionCode, op: PlainOpcode, left: Local, right: Local): void {
  code.get(left);
  code.get(right);
  code.op(op);
}

/** Pushes a vector of bytes that two others have. */
function shuffled(code: FunctionCode, left: Local, right: Local, sources: readonly number[]): void {
  code.get(left);
  code.get(right);
  code.shuffle(sources);
}

/** The bytes of elements, by the numbers of elements of both vectors. */
const bytesOf = (elementBytes: number, elements: readonly number[]): readonly number[] =>
  elements.flatMap((element) => Array.from({ length: elementBytes }, (_, byte) => element * elementBytes + byte));

const every = (count: number, from: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => index * 2 + from);

/** A vector of equal words. */
function words(code: FunctionCode, value: number): void {
  code.i32(value);
  code.op('i16x8.splat');
}

/** The vector on the stack, shifted. */
function shift(code: FunctionCode, op: PlainOpcode, count: number): void {
  code.i32(count);
  code.op(op);
}

/** A vector in a local until the instruction is done. */
function kept(code: FunctionCode): Local {
  const local = code.temporary('v128');
  code.set(local);
  return local;
}

/** The high halves of products of words: those of 32 bits of either half, and of each the upper word. */
function highProducts(sign: 's' | 'u'): Writer {
  return ofVectors((code, left, right) => {
    apply(code, `i32x4.extmul_low_i16x8_${sign}`, left, right);
    apply(code, `i32x4.extmul_high_i16x8_${sign}`, left, right);
    code.shuffle(bytesOf(2, every(8, 1)));
  });
}

/** WebAssembly saturates the product of two least words; the processor gives the least word. */
const multiplyHighRounded16 = ofVectors((code, left, right) => {
  apply(code, 'i16x8.q15mulr_sat_s', left, right);
  for (const operand of [left, right]) {
    code.get(operand);
    words(code, 0x8000);
    code.op('i16x8.eq');
  }
  code.op('v128.and');
  code.op('v128.xor');
});

/** Products of the even doublewords, brought to the low half. */
function wideProducts(sign: 's' | 'u'): Writer {
  const even = bytesOf(4, [0, 2, 0, 2]);
  return ofVectors((code, left, right) => {
    shuffled(code, left, left, even);
    shuffled(code, right, right, even);
    code.op(`i64x2.extmul_low_i32x4_${sign}`);
  });
}

/** No product of an unsigned and a signed byte overflows a word. */
const multiplyAdd8 = ofVectors((code, left, right) => {
  code.get(left);
  words(code, 0xff);
  code.op('v128.and');
  code.get(right);
  shift(code, 'i16x8.shl', 8);
  shift(code, 'i16x8.shr_s', 8);
  code.op('i16x8.mul');
  code.get(left);
  shift(code, 'i16x8.shr_u', 8);
  code.get(right);
  shift(code, 'i16x8.shr_s', 8);
  code.op('i16x8.mul');
  code.op('i16x8.add_sat_s');
});

const SIGNS = {
  8: { shift: 'i8x16.shr_s', sub: 'i8x16.sub', equal: 'i8x16.eq' },
  16: { shift: 'i16x8.shr_s', sub: 'i16x8.sub', equal: 'i16x8.eq' },
  32: { shift: 'i32x4.shr_s', sub: 'i32x4.sub', equal: 'i32x4.eq' },
} as const;

/** Negated by the mask of signs, and nothing where the second is 0. */
function withSign(width: 8 | 16 | 32): Writer {
  const { shift: shiftRight, sub, equal } = SIGNS[width];
  return ofVectors((code, left, right) => {
    code.get(right);
    shift(code, shiftRight, width - 1);
    const sign = kept(code);
    apply(code, 'v128.xor', left, sign);
    code.get(sign);
    code.op(sub);
    code.get(right);
    code.i64(0n);
    code.op('i64x2.splat');
    code.op(equal);
    code.op('v128.andnot');
  });
}

/** Differences of bytes, added in pairs three times. */
const sumOfDifferences = ofVectors((code, left, right) => {
  apply(code, 'i8x16.max_u', left, right);
  apply(code, 'i8x16.min_u', left, right);
  code.op('i8x16.sub');
  code.op('i16x8.extadd_pairwise_i8x16_u');
  code.op('i32x4.extadd_pairwise_i16x8_u');
  const sums = kept(code);
  code.get(sums);
  shift(code, 'i64x2.shr_u', 32);
  code.get(sums);
  code.op('i32x4.add');
  code.i64(0xffff_ffffn);
  code.op('i64x2.splat');
  code.op('v128.and');
});

/** Neighbours are brought into two vectors, which then are operands. */
function horizontal(elementBytes: 2 | 4, op: PlainOpcode): Writer {
  const count = 16 / elementBytes;
  return ofVectors((code, left, right) => {
    shuffled(code, left, right, bytesOf(elementBytes, every(count, 0)));
    shuffled(code, left, right, bytesOf(elementBytes, every(count, 1)));
    code.op(op);
  });
}

const andNot = ofVectors((code, left, right) => apply(code, 'v128.andnot', right, left));

const shuffleBytes = ofVectors((code, left, right) => {
  code.get(left);
  code.get(right);
  code.i32(0x8f); // a number of 16 or more gives 0: bit 7 makes one
  code.op('i8x16.splat');
  code.op('v128.and');
  code.op('i8x16.swizzle');
});

/** Sixteen bytes of the second operand, the first above it, and zeros. */
const alignBytes = ofVectors((code, left, right, { immediate }) => {
  const isFar = immediate > 16;
  code.get(isFar ? left : right);
  if (isFar) {
    code.i64(0n);
    code.op('i64x2.splat');
  } else code.get(left);
  const start = Math.min(isFar ? immediate - 16 : immediate, 16);
  code.shuffle(Array.from({ length: 16 }, (_, byte) => start + byte));
});

/** One element of the second operand, then zeros, as the immediate says. */
const insert32 = ofVectors((code, left, right, { immediate }) => {
  code.get(left);
  code.get(right);
  code.lane('i32x4.extract_lane', immediate >> 6);
  code.lane('i32x4.replace_lane', (immediate >> 4) & 3);
  for (let index = 0; index < 4; index++) {
    if (((immediate >> index) & 1) === 0) continue;
    code.i32(0);
    code.lane('i32x4.replace_lane', index);
  }
});

/** ZF in bit 0, CF in bit 1. */
const test = ofVectors((code, left, right) => {
  apply(code, 'v128.and', left, right);
  code.op('v128.any_true');
  code.op('i32.eqz');
  apply(code, 'v128.andnot', right, left);
  code.op('v128.any_true');
  code.op('i32.eqz');
  code.i32(1);
  code.op('i32.shl');
  code.op('i32.or');
});

/** Elements of the second operand where the third has its sign bit. */
function blendBySigns(shiftRight: PlainOpcode, width: number): Writer {
  return (values, { operands }) => {
    const [left, right, third] = operands as readonly [Expression, Expression, Expression];
    for (const operand of [right, left, third]) values.push(operand);
    shift(values.scope.code, shiftRight, width - 1);
    values.scope.code.op('v128.bitselect');
  };
}

/** The low elements widened in steps. */
function widened(...steps: readonly PlainOpcode[]): Writer {
  return (values, { operands: [operand] }) => {
    values.push(operand as Expression);
    for (const step of steps) values.scope.code.op(step);
  };
}

const WIDER = {
  s: ['i16x8.extend_low_i8x16_s', 'i32x4.extend_low_i16x8_s', 'i64x2.extend_low_i32x4_s'],
  u: ['i16x8.extend_low_i8x16_u', 'i32x4.extend_low_i16x8_u', 'i64x2.extend_low_i32x4_u'],
} as const;

export const LANE_ARITHMETIC = {
  multiplyHighSigned16: highProducts('s'),
  multiplyHighUnsigned16: highProducts('u'),
  multiplyHighRounded16,
  multiplyUnsigned32: wideProducts('u'),
  multiplySigned32: wideProducts('s'),
  multiplyAdd8,
  withSign8: withSign(8),
  withSign16: withSign(16),
  withSign32: withSign(32),
  sumOfDifferences,
  horizontalAdd16: horizontal(2, 'i16x8.add'),
  horizontalAdd32: horizontal(4, 'i32x4.add'),
  horizontalAddSaturate16: horizontal(2, 'i16x8.add_sat_s'),
  horizontalSub16: horizontal(2, 'i16x8.sub'),
  horizontalSub32: horizontal(4, 'i32x4.sub'),
  horizontalSubSaturate16: horizontal(2, 'i16x8.sub_sat_s'),
  andNot,
  shuffleBytes,
  alignBytes,
  insert32,
  test,
  blendBySigns8: blendBySigns('i8x16.shr_s', 8),
  blendBySigns32: blendBySigns('i32x4.shr_s', 32),
  blendBySigns64: blendBySigns('i64x2.shr_s', 64),
  signExtend8to32: widened(...WIDER.s.slice(0, 2)),
  signExtend8to64: widened(...WIDER.s),
  signExtend16to64: widened(...WIDER.s.slice(1)),
  zeroExtend8to32: widened(...WIDER.u.slice(0, 2)),
  zeroExtend8to64: widened(...WIDER.u),
  zeroExtend16to64: widened(...WIDER.u.slice(1)),
} as const satisfies Readonly<Record<string, Writer>>;
