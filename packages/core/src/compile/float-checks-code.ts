// When floating-point operations may be done in generated code. WebAssembly computes as IEEE 754 says, rounded to nearest, and
// tells no exceptions. So its result counts only where the processor finds no exception at all, or no other than precision,
// whose flag is set already and which is masked. Everything else takes the slow path: NaNs, denormal operands, results
// beyond the normal numbers or near their lower end, other rounding modes, and the first inexact result after software
// cleared the flag. DAZ and FTZ count only where one of these does.
// A scalar is a vector whose elements all are that scalar, so that a check of all elements is one of it.
import { EXCEPTION, MASK_SHIFT, MXCSR } from '../float/environment.js';
import { slotOf } from '../register/register-file.js';
import type { ValueCode } from './value-code.js';
import type { FunctionCode, Local } from './wasm/function-code.js';
import type { PlainOpcode } from './wasm/opcodes.js';

const MXCSR_ADDRESS = slotOf('MXCSR') * 8;
const PRECISION_MASK = EXCEPTION.precision << MASK_SHIFT;

/** Elements of a width as WebAssembly names them. */
export interface Shape {
  readonly width: 32 | 64;
  readonly type: 'f32x4' | 'f64x2';
  readonly allTrue: PlainOpcode;
  /** Bits of the smallest normal number, of twice that, and of the greatest finite number. */
  readonly least: bigint;
  readonly twiceLeast: bigint;
  readonly most: bigint;
}

export const SHAPES: Readonly<Record<32 | 64, Shape>> = {
  32: {
    width: 32,
    type: 'f32x4',
    allTrue: 'i32x4.all_true',
    least: 0x0080_0000n,
    twiceLeast: 0x0100_0000n,
    most: 0x7f7f_ffffn,
  },
  64: {
    width: 64,
    type: 'f64x2',
    allTrue: 'i64x2.all_true',
    least: 0x0010_0000_0000_0000n,
    twiceLeast: 0x0020_0000_0000_0000n,
    most: 0x7fef_ffff_ffff_ffffn,
  },
};

/** The slow path unless MXCSR rounds to nearest and an inexact result changes nothing in it. */
export function requirePrecisionSettled({ scope: { code }, slow }: ValueCode): void {
  code.loadAt('i32.load', MXCSR_ADDRESS);
  code.i32(MXCSR.rounding | PRECISION_MASK | EXCEPTION.precision);
  code.op('i32.and');
  code.i32(PRECISION_MASK | EXCEPTION.precision);
  code.op('i32.ne');
  code.brIf(slow);
}

/** The slow path unless the mask on the stack has all elements. */
export function requireAll({ scope: { code }, slow }: ValueCode, { allTrue }: Shape): void {
  code.op(allTrue);
  code.op('i32.eqz');
  code.brIf(slow);
}

/** Pushes a vector of equal elements. */
function pushEach(code: FunctionCode, { width }: Shape, bits: bigint): void {
  if (width === 64) code.i64(bits);
  else code.i32(Number(bits));
  code.op(width === 64 ? 'i64x2.splat' : 'i32x4.splat');
}

/** Pushes where elements are 0. */
export function pushIsZero(code: FunctionCode, shape: Shape, value: Local): void {
  code.get(value);
  pushEach(code, shape, 0n);
  code.op(`${shape.type}.eq`);
}

/** Pushes where magnitudes are at least so great; not for NaNs. */
export function pushIsAtLeast(code: FunctionCode, shape: Shape, value: Local, bits: bigint): void {
  code.get(value);
  code.op(`${shape.type}.abs`);
  pushEach(code, shape, bits);
  code.op(`${shape.type}.ge`);
}

/** Pushes where magnitudes are at most so great; not for NaNs. */
export function pushIsAtMost(code: FunctionCode, shape: Shape, value: Local, bits: bigint): void {
  code.get(value);
  code.op(`${shape.type}.abs`);
  pushEach(code, shape, bits);
  code.op(`${shape.type}.le`);
}

/** Pushes where elements are 0, normal or infinite: neither denormal nor NaN. */
export function pushIsPlain(code: FunctionCode, shape: Shape, value: Local): void {
  pushIsZero(code, shape, value);
  pushIsAtLeast(code, shape, value, shape.least);
  code.op('v128.or');
}

/** The slow path for operands that are denormal, or that are not numbers. */
export function requirePlain(values: ValueCode, shape: Shape, left: Local, right: Local): void {
  const { code } = values.scope;
  pushIsPlain(code, shape, left);
  pushIsPlain(code, shape, right);
  code.op('v128.and');
  requireAll(values, shape);
}
