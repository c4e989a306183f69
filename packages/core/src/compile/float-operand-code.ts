// Operands of floating-point operations in generated code.
import type { Expression, FloatComputation } from '../expression/nodes.js';
import type { ValueCode } from './value-code.js';
import type { Local } from './wasm/function-code.js';

/** Pushes the result: a vector, of a scalar too, unless `isNumber` says that a scalar is an integer of the node's width. */
export interface FloatWriter {
  readonly isNumber: boolean;
  readonly write: (values: ValueCode, node: FloatComputation) => void;
}

/** An operand as a vector; a scalar is in each of its elements. */
function operandVector(values: ValueCode, node: Expression, width: 32 | 64): Local {
  const { code } = values.scope;
  if (node.width === 128) return values.toLocal(node);
  if (node.kind === 'memory') {
    code.get(values.place(node));
    code.memory(width === 64 ? 'v128.load64_splat' : 'v128.load32_splat', 0);
  } else if (node.kind === 'lane') {
    values.push(node.operand);
    code.lane(width === 64 ? 'f64x2.extract_lane' : 'f32x4.extract_lane', node.index);
    code.op(width === 64 ? 'f64x2.splat' : 'f32x4.splat');
  } else {
    values.push(node);
    code.op(width === 64 ? 'i64x2.splat' : 'i32x4.splat');
  }
  const local = code.temporary('v128');
  code.set(local);
  return local;
}

/** Pushes the result of an operation on vectors; of one operand, it is both. */
export type OfVectors = (values: ValueCode, left: Local, right: Local, node: FloatComputation) => void;

/** An operation on elements of a width. */
export const ofVectors = (width: 32 | 64, write: OfVectors, isNumber = false): FloatWriter => ({
  isNumber,
  write: (values, node) => {
    const [first, second] = node.operands as readonly [Expression, Expression?];
    const left = operandVector(values, first, width);
    write(values, left, second === undefined ? left : operandVector(values, second, width), node);
  },
});
