// Vectors in generated code: lanes by WebAssembly's instructions for vectors. What has no such instruction is left to the
// reference path, instruction by instruction (`isVectorSupported`).
import { InternalError } from '../error.js';
import type { Expression, FloatComputation, Lane, VectorComputation, WithLane } from '../expression/nodes.js';
import type { ValueCode } from './value-code.js';

/** Whether a node that is a vector, or comes from one, can be generated. */
export function isVectorSupported(node: Expression): boolean {
  return !['lane', 'withLane', 'vector', 'float'].includes(node.kind);
}

/** Pushes it. */
export function vectorCode(_values: ValueCode, node: Lane | WithLane | VectorComputation | FloatComputation): void {
  throw new InternalError('a vector operation that is not generated', { kind: node.kind });
}
