// The builders of vector and floating-point nodes. Widths are checked as they are built, as in build.ts.
import { assert } from '../error.js';
import type { FloatOperationName } from '../float/operations.js';
import type { Raise } from '../interrupt/exceptions.js';
import type { VectorOperationName } from '../vector/operations.js';
import { constant } from './build.js';
import type {
  Expression,
  FaultFirst,
  FloatComputation,
  Lane,
  SegmentName,
  SimdExceptions,
  SystemBit,
  VectorComputation,
  VectorMemoryPlace,
  VectorRegisterPlace,
  WithLane,
} from './nodes.js';

/** XMM0 to XMM15 by number. */
export function vectorRegister(index: number): VectorRegisterPlace {
  return { kind: 'vectorRegister', width: 128, index };
}

/** 16 bytes of memory, aligned if not said otherwise (`unaligned`). */
export function vectorMemory(segment: SegmentName, offset: Expression): VectorMemoryPlace {
  assert(offset.width === 64, 'an offset is 64 bits wide', { width: offset.width });
  return { kind: 'vectorMemory', width: 128, segment, offset, aligned: true };
}

/** The same place for instructions that take any address. */
export function unaligned(place: Expression): Expression {
  return place.kind === 'vectorMemory' ? { ...place, aligned: false } : place;
}

/** An operation on lanes. All operands have the width of the result, or a shape that the row of the operation says. */
export function vector(
  operation: VectorOperationName,
  operands: readonly Expression[],
  { width = 128, immediate = 0 }: { readonly width?: VectorComputation['width']; readonly immediate?: number } = {},
): VectorComputation {
  return { kind: 'vector', width, operation, operands, immediate };
}

/** A floating-point operation on elements or vectors. */
export function float(
  operation: FloatOperationName,
  width: FloatComputation['width'],
  operands: readonly Expression[],
  immediate = 0,
): FloatComputation {
  return { kind: 'float', width, operation, operands, immediate };
}

/** An element of a vector. */
export function lane(operand: Expression, width: Lane['width'], index: number): Lane {
  assert(operand.width === 128 && index < 128 / width, 'an element of a vector', { width, index });
  return { kind: 'lane', width, index, operand };
}

/** A vector with one element replaced. */
export function withLane(operand: Expression, index: number, value: Expression): WithLane {
  assert(operand.width === 128 && index < 128 / value.width, 'an element of a vector', { width: value.width, index });
  return { kind: 'withLane', width: 128, index, operand, value };
}

/** All bits 0. */
export const ZERO_VECTOR = constant(128, 0n);

/** An element in the low bits, zeros above. */
export const zeroExtended = (value: Expression): WithLane => withLane(ZERO_VECTOR, 0, value);

/** A bit of a control register as a condition. */
export function systemBit(register: SystemBit['register'], bit: number): SystemBit {
  return { kind: 'systemBit', width: 1, register, bit };
}

/** Abandons the instruction before it reads anything. */
export function faultFirst(condition: Expression, raise: Raise, rule: string): FaultFirst {
  assert(condition.width === 1, 'a condition is 1 bit wide', { width: condition.width });
  return { kind: 'faultFirst', condition, raise, rule };
}

/** Takes up what exceptions the operations detect. */
export function simdExceptions(...operations: readonly FloatComputation[]): SimdExceptions {
  return { kind: 'simdExceptions', operations };
}
