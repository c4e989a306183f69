// The operations on vectors that an expression may name: one table, a row each. A row is what the evaluator computes; its
// `wasm` is the instruction that does the same, for a back end that emits WebAssembly.
import { AES_OPERATIONS } from './aes.js';
import { CARRY_LESS_OPERATIONS } from './carry-less-product.js';
import { INTEGER_OPERATIONS } from './integer-arithmetic.js';
import type { VectorOperation } from './operation.js';
import { SHIFT_OPERATIONS } from './shift.js';
import { SHUFFLE_OPERATIONS } from './shuffle.js';
import { STRING_OPERATIONS } from './string-comparison.js';

const TABLE = {
  ...INTEGER_OPERATIONS,
  ...SHIFT_OPERATIONS,
  ...SHUFFLE_OPERATIONS,
  ...AES_OPERATIONS,
  ...CARRY_LESS_OPERATIONS,
  ...STRING_OPERATIONS,
} as const;

/** The name of a row. */
export type VectorOperationName = keyof typeof TABLE;

/** By name. */
export const VECTOR_OPERATIONS: Readonly<Record<VectorOperationName, VectorOperation>> = TABLE;
