// Conversions between formats and integers, and rounding to an integral value, in generated code: what they check is in
// float-checks-code.ts. Each is the row of the same name in float/operations.ts.
import type { Expression } from '../expression/nodes.js';
import type { FloatOperationName } from '../float/operations.js';
import {
  pushIsAtLeast,
  pushIsAtMost,
  pushIsZero,
  requireAll,
  requirePlain,
  requirePrecisionSettled,
  SHAPES,
} from './float-checks-code.js';
import { type FloatWriter, ofVectors } from './float-operand-code.js';
import type { PlainOpcode } from './wasm/opcodes.js';

/** Bits of doubles: the least normal single, twice that, and the greatest finite single. */
const SINGLE = {
  least: 0x3810_0000_0000_0000n,
  twiceLeast: 0x3820_0000_0000_0000n,
  most: 0x47ef_ffff_e000_0000n,
} as const;

/** Of an element, or of a vector of doublewords; only a double holds every doubleword. */
function fromInteger(scalar: readonly PlainOpcode[], packed: PlainOpcode | undefined, isExact: boolean): FloatWriter {
  return {
    isNumber: false,
    write: (values, { operands, width }) => {
      if (!isExact) requirePrecisionSettled(values);
      values.push(operands[0] as Expression);
      for (const op of width === 128 && packed !== undefined ? [packed] : scalar) values.scope.code.op(op);
    },
  };
}

/** Exact; a denormal single is told by the double, and so is a NaN. */
const singleToDouble = ofVectors(32, (values, operand) => {
  const { code } = values.scope;
  code.get(operand);
  code.op('f64x2.promote_low_f32x4');
  const result = code.temporary('v128');
  code.set(result);
  pushIsZero(code, SHAPES[64], result);
  pushIsAtLeast(code, SHAPES[64], result, SINGLE.least);
  code.op('v128.or');
  requireAll(values, SHAPES[64]);
  code.get(result);
});

const doubleToSingle = ofVectors(64, (values, operand) => {
  const { code } = values.scope;
  requirePrecisionSettled(values);
  pushIsZero(code, SHAPES[64], operand);
  pushIsAtLeast(code, SHAPES[64], operand, SINGLE.twiceLeast);
  code.op('v128.or');
  pushIsAtMost(code, SHAPES[64], operand, SINGLE.most);
  code.op('v128.and');
  requireAll(values, SHAPES[64]);
  code.get(operand);
  code.op('f32x4.demote_f64x2_zero');
});

/** Bits of the greatest floating-point number below 2^31 and 2^63. */
const BELOW = {
  32: { 32: 0x4eff_ffffn, 64: 0x5eff_ffffn },
  64: { 32: 0x41df_ffff_ffff_ffffn, 64: 0x43df_ffff_ffff_ffffn },
} as const;
const TRUNCATIONS = {
  32: { 32: 'i32.trunc_f32_s', 64: 'i64.trunc_f32_s', packed: 'i32x4.trunc_sat_f32x4_s' },
  64: { 32: 'i32.trunc_f64_s', 64: 'i64.trunc_f64_s', packed: 'i32x4.trunc_sat_f64x2_s_zero' },
} as const;

/** The slow path for what has no place in the integer, and for NaNs. That a denormal is one, nobody hears of. */
function toInteger(from: 32 | 64, to: 32 | 64, truncates: boolean): FloatWriter {
  const shape = SHAPES[from];
  return ofVectors(
    from,
    (values, operand, _right, { width }) => {
      const { code } = values.scope;
      requirePrecisionSettled(values);
      code.get(operand);
      if (!truncates) code.op(`${shape.type}.nearest`);
      const rounded = code.temporary('v128');
      code.set(rounded);
      pushIsAtMost(code, shape, rounded, BELOW[from][to]);
      requireAll(values, shape);
      code.get(rounded);
      if (width === 128) code.op(TRUNCATIONS[from].packed);
      else {
        code.lane(`${shape.type}.extract_lane`, 0);
        code.op(TRUNCATIONS[from][to]);
      }
    },
    true,
  );
}

/** Bits 1:0 of the immediate of ROUNDPS. */
const MODES = ['nearest', 'floor', 'ceil', 'trunc'] as const;
const [FROM_MXCSR, SUPPRESS_PRECISION] = [4, 8];

function toIntegral(width: 32 | 64): FloatWriter {
  const shape = SHAPES[width];
  return ofVectors(width, (values, operand, _right, { immediate }) => {
    const { code } = values.scope;
    const isFromMxcsr = (immediate & FROM_MXCSR) !== 0;
    if (isFromMxcsr || (immediate & SUPPRESS_PRECISION) === 0) requirePrecisionSettled(values);
    requirePlain(values, shape, operand, operand);
    code.get(operand);
    code.op(`${shape.type}.${isFromMxcsr ? 'nearest' : (MODES[immediate & 3] ?? 'nearest')}`);
  });
}

export const FLOAT_CONVERSIONS = {
  int32ToSingle: fromInteger(['f32.convert_i32_s', 'f32x4.splat'], 'f32x4.convert_i32x4_s', false),
  int32ToDouble: fromInteger(['f64.convert_i32_s', 'f64x2.splat'], 'f64x2.convert_low_i32x4_s', true),
  int64ToSingle: fromInteger(['f32.convert_i64_s', 'f32x4.splat'], undefined, false),
  int64ToDouble: fromInteger(['f64.convert_i64_s', 'f64x2.splat'], undefined, false),
  singleToDouble,
  doubleToSingle,
  singleToInt32: toInteger(32, 32, false),
  singleToInt64: toInteger(32, 64, false),
  doubleToInt32: toInteger(64, 32, false),
  doubleToInt64: toInteger(64, 64, false),
  truncateSingleToInt32: toInteger(32, 32, true),
  truncateSingleToInt64: toInteger(32, 64, true),
  truncateDoubleToInt32: toInteger(64, 32, true),
  truncateDoubleToInt64: toInteger(64, 64, true),
  round32: toIntegral(32),
  round64: toIntegral(64),
} as const satisfies Readonly<Partial<Record<FloatOperationName, FloatWriter>>>;
