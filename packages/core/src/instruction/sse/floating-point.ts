// SDM, "SSE SIMD Single Precision Floating-Point Instructions" and those of SSE2, SSE3 and SSE4.1: arithmetic, comparison
// and conversion. A row is a mnemonic and the operation of float/operations.ts that it is. Conversions with MMX registers
// are not here.
import { bit, constant, setFlags, write } from '../../expression/build.js';
import { float, lane, simdExceptions, vector, withLane, ZERO_VECTOR } from '../../expression/build-vector.js';
import type { Effect, Expression, FloatComputation } from '../../expression/nodes.js';
import type { FloatOperationName } from '../../float/operations.js';
import type { SdmTitle } from '../../manual/sdm.js';
import type { EffectOperands } from '../define.js';
import { defineSse, immediateOf } from './availability.js';
import { lowHalf, scalarOf } from './data-movement.js';

type Kind = 'PS' | 'PD' | 'SS' | 'SD';
const WIDTH: Readonly<Record<Kind, 32 | 64>> = { PS: 32, PD: 64, SS: 32, SD: 64 };

/** A result and its exceptions, as the whole destination or as its low element. */
function result(dst: Expression, value: FloatComputation): Effect {
  return [simdExceptions(value), write(dst, value.width === 128 ? value : withLane(dst, 0, value))];
}

/** On vectors, or on the low elements; of one operand, the source. */
function computed(kind: Kind, operation: FloatOperationName, operands: number) {
  const width = WIDTH[kind];
  return (effect: EffectOperands): Effect => {
    const { dst, src, operandCount } = effect;
    const immediate = operandCount > 2 ? immediateOf(effect.third) : 0;
    if (kind === 'PS' || kind === 'PD')
      return result(dst, float(operation, 128, operands === 1 ? [src] : [dst, src], immediate));
    const source = scalarOf(src, width);
    return result(dst, float(operation, width, operands === 1 ? [source] : [lane(dst, width, 0), source], immediate));
  };
}

type ArithmeticRow = readonly [
  mnemonic: string,
  title: SdmTitle,
  kind: Kind,
  operation: FloatOperationName,
  operands: 1 | 2,
];

const ARITHMETIC: readonly ArithmeticRow[] = [
  ['ADDPS', 'ADDPS—Add Packed Single Precision Floating-Point Values', 'PS', 'add32', 2],
  ['ADDPD', 'ADDPD—Add Packed Double Precision Floating-Point Values', 'PD', 'add64', 2],
  ['ADDSS', 'ADDSS—Add Scalar Single Precision Floating-Point Values', 'SS', 'add32', 2],
  ['ADDSD', 'ADDSD—Add Scalar Double Precision Floating-Point Values', 'SD', 'add64', 2],
  ['SUBPS', 'SUBPS—Subtract Packed Single Precision Floating-Point Values', 'PS', 'sub32', 2],
  ['SUBPD', 'SUBPD—Subtract Packed Double Precision Floating-Point Values', 'PD', 'sub64', 2],
  ['SUBSS', 'SUBSS—Subtract Scalar Single Precision Floating-Point Value', 'SS', 'sub32', 2],
  ['SUBSD', 'SUBSD—Subtract Scalar Double Precision Floating-Point Value', 'SD', 'sub64', 2],
  ['MULPS', 'MULPS—Multiply Packed Single Precision Floating-Point Values', 'PS', 'mul32', 2],
  ['MULPD', 'MULPD—Multiply Packed Double Precision Floating-Point Values', 'PD', 'mul64', 2],
  ['MULSS', 'MULSS—Multiply Scalar Single Precision Floating-Point Values', 'SS', 'mul32', 2],
  ['MULSD', 'MULSD—Multiply Scalar Double Precision Floating-Point Value', 'SD', 'mul64', 2],
  ['DIVPS', 'DIVPS—Divide Packed Single Precision Floating-Point Values', 'PS', 'div32', 2],
  ['DIVPD', 'DIVPD—Divide Packed Double Precision Floating-Point Values', 'PD', 'div64', 2],
  ['DIVSS', 'DIVSS—Divide Scalar Single Precision Floating-Point Values', 'SS', 'div32', 2],
  ['DIVSD', 'DIVSD—Divide Scalar Double Precision Floating-Point Value', 'SD', 'div64', 2],
  ['SQRTPS', 'SQRTPS—Square Root of Single Precision Floating-Point Values', 'PS', 'sqrt32', 1],
  ['SQRTPD', 'SQRTPD—Square Root of Double Precision Floating-Point Values', 'PD', 'sqrt64', 1],
  ['SQRTSS', 'SQRTSS—Compute Square Root of Scalar Single Precision Value', 'SS', 'sqrt32', 1],
  ['SQRTSD', 'SQRTSD—Compute Square Root of Scalar Double Precision Floating-Point Value', 'SD', 'sqrt64', 1],
  ['MAXPS', 'MAXPS—Maximum of Packed Single Precision Floating-Point Values', 'PS', 'max32', 2],
  ['MAXPD', 'MAXPD—Maximum of Packed Double Precision Floating-Point Values', 'PD', 'max64', 2],
  ['MAXSS', 'MAXSS—Return Maximum Scalar Single Precision Floating-Point Value', 'SS', 'max32', 2],
  ['MAXSD', 'MAXSD—Return Maximum Scalar Double Precision Floating-Point Value', 'SD', 'max64', 2],
  ['MINPS', 'MINPS—Minimum of Packed Single Precision Floating-Point Values', 'PS', 'min32', 2],
  ['MINPD', 'MINPD—Minimum of Packed Double Precision Floating-Point Values', 'PD', 'min64', 2],
  ['MINSS', 'MINSS—Return Minimum Scalar Single Precision Floating-Point Value', 'SS', 'min32', 2],
  ['MINSD', 'MINSD—Return Minimum Scalar Double Precision Floating-Point Value', 'SD', 'min64', 2],
  ['RCPPS', 'RCPPS—Compute Reciprocals of Packed Single Precision Floating-Point Values', 'PS', 'reciprocal32', 1],
  ['RCPSS', 'RCPSS—Compute Reciprocal of Scalar Single Precision Floating-Point Values', 'SS', 'reciprocal32', 1],
  [
    'RSQRTPS',
    'RSQRTPS—Compute Reciprocals of Square Roots of Packed Single Precision Floating-Point Values',
    'PS',
    'reciprocalRoot32',
    1,
  ],
  [
    'RSQRTSS',
    'RSQRTSS—Compute Reciprocal of Square Root of Scalar Single Precision Floating-Point Value',
    'SS',
    'reciprocalRoot32',
    1,
  ],
  ['ADDSUBPS', 'ADDSUBPS—Packed Single Precision Floating-Point Add/Subtract', 'PS', 'addSub32', 2],
  ['ADDSUBPD', 'ADDSUBPD—Packed Double Precision Floating-Point Add/Subtract', 'PD', 'addSub64', 2],
  ['CMPPS', 'CMPPS—Compare Packed Single Precision Floating-Point Values', 'PS', 'compare32', 2],
  ['CMPPD', 'CMPPD—Compare Packed Double Precision Floating-Point Values', 'PD', 'compare64', 2],
  ['CMPSS', 'CMPSS—Compare Scalar Single Precision Floating-Point Value', 'SS', 'compare32', 2],
  ['CMPSD xmm', 'CMPSD—Compare Scalar Double Precision Floating-Point Value', 'SD', 'compare64', 2],
  ['ROUNDPS', 'ROUNDPS—Round Packed Single Precision Floating-Point Values', 'PS', 'round32', 1],
  ['ROUNDPD', 'ROUNDPD—Round Packed Double Precision Floating-Point Values', 'PD', 'round64', 1],
  ['ROUNDSS', 'ROUNDSS—Round Scalar Single Precision Floating-Point Values', 'SS', 'round32', 1],
  ['ROUNDSD', 'ROUNDSD—Round Scalar Double Precision Floating-Point Values', 'SD', 'round64', 1],
];

/** Vectors whose elements are converted; of the narrower half of a vector, the low one. */
const CONVERSIONS: readonly (readonly [mnemonic: string, title: SdmTitle, operation: FloatOperationName])[] = [
  [
    'CVTPS2PD',
    'CVTPS2PD—Convert Packed Single Precision Floating-Point Values to Packed Double Precision Floating-Point Values',
    'singleToDouble',
  ],
  [
    'CVTPD2PS',
    'CVTPD2PS—Convert Packed Double Precision Floating-Point Values to Packed Single Precision Floating-Point Values',
    'doubleToSingle',
  ],
  [
    'CVTDQ2PS',
    'CVTDQ2PS—Convert Packed Doubleword Integers to Packed Single Precision Floating-Point Values',
    'int32ToSingle',
  ],
  [
    'CVTDQ2PD',
    'CVTDQ2PD—Convert Packed Doubleword Integers to Packed Double Precision Floating-Point Values',
    'int32ToDouble',
  ],
  [
    'CVTPS2DQ',
    'CVTPS2DQ—Convert Packed Single Precision Floating-Point Values to Packed Signed Doubleword Integer Values',
    'singleToInt32',
  ],
  [
    'CVTPD2DQ',
    'CVTPD2DQ—Convert Packed Double Precision Floating-Point Values to Packed Doubleword Integers',
    'doubleToInt32',
  ],
  [
    'CVTTPS2DQ',
    'CVTTPS2DQ—Convert With Truncation Packed Single Precision Floating-Point Values to Packed Signed Doubleword Integer Values',
    'truncateSingleToInt32',
  ],
  [
    'CVTTPD2DQ',
    'CVTTPD2DQ—Convert with Truncation Packed Double Precision Floating-Point Values to Packed Doubleword Integers',
    'truncateDoubleToInt32',
  ],
];

const SCALAR_CONVERSIONS = [
  defineSse(
    'CVTSS2SD',
    'CVTSS2SD—Convert Scalar Single Precision Floating-Point Value to Scalar Double Precision Floating-Point Value',
    ({ dst, src }) => result(dst, float('singleToDouble', 64, [scalarOf(src, 32)])),
  ),
  defineSse(
    'CVTSD2SS',
    'CVTSD2SS—Convert Scalar Double Precision Floating-Point Value to Scalar Single Precision Floating-Point Value',
    ({ dst, src }) => result(dst, float('doubleToSingle', 32, [scalarOf(src, 64)])),
  ),
  defineSse(
    'CVTSI2SS',
    'CVTSI2SS—Convert Doubleword Integer to Scalar Single Precision Floating-Point Value',
    ({ dst, src }) => result(dst, float(src.width === 64 ? 'int64ToSingle' : 'int32ToSingle', 32, [src])),
  ),
  defineSse(
    'CVTSI2SD',
    'CVTSI2SD—Convert Doubleword Integer to Scalar Double Precision Floating-Point Value',
    ({ dst, src }) => result(dst, float(src.width === 64 ? 'int64ToDouble' : 'int32ToDouble', 64, [src])),
  ),
];

type ToInteger = readonly [to32: FloatOperationName, to64: FloatOperationName];

const TO_INTEGER = (
  [
    [
      'CVTSS2SI',
      'CVTSS2SI—Convert Scalar Single Precision Floating-Point Value to Doubleword Integer',
      32,
      ['singleToInt32', 'singleToInt64'],
    ],
    [
      'CVTSD2SI',
      'CVTSD2SI—Convert Scalar Double Precision Floating-Point Value to Doubleword Integer',
      64,
      ['doubleToInt32', 'doubleToInt64'],
    ],
    [
      'CVTTSS2SI',
      'CVTTSS2SI—Convert With Truncation Scalar Single Precision Floating-Point Value to Integer',
      32,
      ['truncateSingleToInt32', 'truncateSingleToInt64'],
    ],
    [
      'CVTTSD2SI',
      'CVTTSD2SI—Convert With Truncation Scalar Double Precision Floating-Point Value to Signed Integer',
      64,
      ['truncateDoubleToInt32', 'truncateDoubleToInt64'],
    ],
  ] as const satisfies readonly (readonly [string, SdmTitle, 32 | 64, ToInteger])[]
).map(([mnemonic, title, from, [to32, to64]]) =>
  defineSse(mnemonic, title, ({ dst, src }) => {
    const width = dst.width === 64 ? 64 : 32;
    const value = float(width === 64 ? to64 : to32, width, [scalarOf(src, from)]);
    return [simdExceptions(value), write(dst, value)];
  }),
);

const ORDERINGS = (
  [
    ['COMISS', 'COMISS—Compare Scalar Ordered Single Precision Floating-Point Values and Set EFLAGS', 32, 'order32'],
    ['COMISD', 'COMISD—Compare Scalar Ordered Double Precision Floating-Point Values and Set EFLAGS', 64, 'order64'],
    [
      'UCOMISS',
      'UCOMISS—Unordered Compare Scalar Single Precision Floating-Point Values and Set EFLAGS',
      32,
      'orderQuietly32',
    ],
    [
      'UCOMISD',
      'UCOMISD—Unordered Compare Scalar Double Precision Floating-Point Values and Set EFLAGS',
      64,
      'orderQuietly64',
    ],
  ] as const satisfies readonly (readonly [string, SdmTitle, 32 | 64, FloatOperationName])[]
).map(([mnemonic, title, width, operation]) =>
  defineSse(mnemonic, title, ({ dst, src }) => {
    const order = float(operation, 32, [lane(dst, width, 0), scalarOf(src, width)]);
    const clear = constant(1, 0n);
    const flags = { ZF: bit(order, 0), PF: bit(order, 1), CF: bit(order, 2), OF: clear, SF: clear, AF: clear };
    return [simdExceptions(order), setFlags(flags)];
  }),
);

/** Pairs of neighbours: the even elements of both operands against the odd ones. */
function horizontal(width: 32 | 64, operation: FloatOperationName) {
  return ({ dst, src }: EffectOperands): Effect => {
    const [shuffle, even, odd] =
      width === 32 ? (['shuffleTwo32', 0x88, 0xdd] as const) : (['shuffleTwo64', 0, 3] as const);
    const pick = (immediate: number) => vector(shuffle, [dst, src], { immediate });
    return result(dst, float(operation, 128, [pick(even), pick(odd)]));
  };
}

const HORIZONTAL = [
  defineSse('HADDPS', 'HADDPS—Packed Single Precision Floating-Point Horizontal Add', horizontal(32, 'add32')),
  defineSse('HADDPD', 'HADDPD—Packed Double Precision Floating-Point Horizontal Add', horizontal(64, 'add64')),
  defineSse('HSUBPS', 'HSUBPS—Packed Single Precision Floating-Point Horizontal Subtract', horizontal(32, 'sub32')),
  defineSse('HSUBPD', 'HSUBPD—Packed Double Precision Floating-Point Horizontal Subtract', horizontal(64, 'sub64')),
];

/** The sum in each element that bits 3:0 of the immediate choose, 0 in the others. */
function spread(sum: FloatComputation, immediate: number): Expression {
  const count = 128 / sum.width;
  const indexes = Array.from({ length: count }, (_, index) => index).filter((index) => (immediate >> index) & 1);
  return indexes.reduce<Expression>((whole, index) => withLane(whole, index, sum), ZERO_VECTOR);
}

/** Products, then sums of neighbours until one is left. */
const DOT_PRODUCTS = [
  defineSse('DPPS', 'DPPS—Dot Product of Packed Single Precision Floating-Point Values', ({ dst, src, third }) => {
    const immediate = immediateOf(third);
    const products = float('mulChosen32', 128, [dst, src], immediate);
    const at = (index: number): Expression => lane(products, 32, index);
    const low = float('add32', 32, [at(0), at(1)]);
    const high = float('add32', 32, [at(2), at(3)]);
    const sum = float('add32', 32, [low, high]);
    return [simdExceptions(products, low, high, sum), write(dst, spread(sum, immediate))];
  }),
  defineSse('DPPD', 'DPPD—Dot Product of Packed Double Precision Floating-Point Values', ({ dst, src, third }) => {
    const immediate = immediateOf(third);
    const products = float('mulChosen64', 128, [dst, src], immediate);
    const sum = float('add64', 64, [lane(products, 64, 0), lane(products, 64, 1)]);
    return [simdExceptions(products, sum), write(dst, spread(sum, immediate))];
  }),
];

export const FLOATING_POINT = [
  ...ARITHMETIC.map(([mnemonic, title, kind, operation, operands]) =>
    defineSse(mnemonic, title, computed(kind, operation, operands)),
  ),
  ...CONVERSIONS.map(([mnemonic, title, operation]) =>
    defineSse(mnemonic, title, ({ dst, src }) => result(dst, float(operation, 128, [lowHalf(src)]))),
  ),
  ...SCALAR_CONVERSIONS,
  ...TO_INTEGER,
  ...ORDERINGS,
  ...HORIZONTAL,
  ...DOT_PRODUCTS,
];
