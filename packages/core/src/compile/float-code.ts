// Floating-point operations in generated code, as far as float-checks-code.ts lets them: each is the row of the same name in
// float/operations.ts. By call: RCPPS and RSQRTPS, whose approximations are the processor's own, ADDSUBPS and DPPS.
import { assert, InternalError } from '../error.js';
import type { Expression, FloatComputation } from '../expression/nodes.js';
import { FLOAT_OPERATIONS, type FloatOperationName } from '../float/operations.js';
import {
  pushIsAtLeast,
  pushIsAtMost,
  pushIsPlain,
  pushIsZero,
  requireAll,
  requirePlain,
  requirePrecisionSettled,
  SHAPES,
  type Shape,
} from './float-checks-code.js';
import { FLOAT_CONVERSIONS } from './float-conversion-code.js';
import { type FloatWriter, type OfVectors, ofVectors } from './float-operand-code.js';
import type { ValueCode } from './value-code.js';
import type { FunctionCode, Local } from './wasm/function-code.js';
import { isPlainOpcode } from './wasm/opcodes.js';

/** Whether a floating-point operation can be generated. */
export function isFloatSupported({ operation }: FloatComputation): boolean {
  return WRITERS[operation] !== undefined;
}

/** Pushes the value of a node: a vector, or the bits of a scalar. */
export function floatCode(values: ValueCode, node: FloatComputation): void {
  const { code } = values.scope;
  if (isNumber(node)) writerOf(node).write(values, node);
  else {
    code.get(floatVector(values, node));
    if (node.width !== 128) code.lane(node.width === 64 ? 'i64x2.extract_lane' : 'i32x4.extract_lane', 0);
  }
}

/** Whether a node is a scalar that `floatVector` gives. */
export function isFloatScalar(node: Expression): node is FloatComputation {
  return node.kind === 'float' && node.width !== 128 && !isNumber(node);
}

/** The result as a vector, computed once. Of a scalar, element 0 counts. */
export function floatVector(values: ValueCode, node: FloatComputation): Local {
  let local = values.floats.get(node);
  if (local === undefined) {
    writerOf(node).write(values, node);
    local = values.scope.code.temporary('v128');
    values.scope.code.set(local);
    values.floats.set(node, local);
  }
  return local;
}

/** Computes a node whose exceptions count, whether or not somebody wants its value. */
export function settleFloat(values: ValueCode, node: FloatComputation): void {
  if (isNumber(node)) values.toLocal(node);
  else floatVector(values, node);
}

const isNumber = (node: FloatComputation): boolean => node.width !== 128 && writerOf(node).isNumber;

function writerOf(node: FloatComputation): FloatWriter {
  const writer = WRITERS[node.operation];
  if (writer === undefined)
    throw new InternalError('an operation that is not generated', { operation: node.operation });
  return writer;
}

/** The checks of operands and result, the mask on the stack. */
type Check = (values: ValueCode, shape: Shape, left: Local, right: Local, result: Local) => void;

/** Of a sum, 0 is exact. */
const checkSum: Check = ({ scope: { code } }, shape, left, right, result) => {
  pushIsPlain(code, shape, left);
  pushIsPlain(code, shape, right);
  code.op('v128.and');
  pushIsZero(code, shape, result);
  pushIsInside(code, shape, result);
};

/** Of a product, 0 is exact if a factor is. */
const checkProduct: Check = ({ scope: { code } }, shape, left, right, result) => {
  pushIsPlain(code, shape, left);
  pushIsPlain(code, shape, right);
  code.op('v128.and');
  pushIsZero(code, shape, left);
  pushIsZero(code, shape, right);
  code.op('v128.or');
  pushIsInside(code, shape, result);
};

const checkQuotient: Check = ({ scope: { code } }, shape, left, right, result) => {
  pushIsPlain(code, shape, left);
  pushIsAtLeast(code, shape, right, shape.least);
  code.op('v128.and');
  pushIsZero(code, shape, left);
  pushIsInside(code, shape, result);
};

/** Takes two masks, of the operands and of where a result of 0 will do; the rest of the results must be well inside the range. */
function pushIsInside(code: FunctionCode, shape: Shape, result: Local): void {
  pushIsAtLeast(code, shape, result, shape.twiceLeast);
  code.op('v128.or');
  code.op('v128.and');
  pushIsAtMost(code, shape, result, shape.most);
  code.op('v128.and');
}

/** A root is well inside the range of numbers; of a number below 0 there is none. */
const checkRoot: Check = ({ scope: { code } }, shape, operand) => {
  pushIsPlain(code, shape, operand);
  code.get(operand);
  code.i64(0n);
  code.op('i64x2.splat');
  code.op(`${shape.type}.ge`);
  code.op('v128.and');
};

/** By the instruction that the row names. */
function arithmetic(width: 32 | 64, check: Check): FloatWriter {
  const shape = SHAPES[width];
  return ofVectors(width, (values, left, right, { operation, operands }) => {
    const { code } = values.scope;
    const { wasm = '' } = FLOAT_OPERATIONS[operation];
    assert(isPlainOpcode(wasm), 'an instruction that is not in the table of opcodes', { operation, wasm });
    requirePrecisionSettled(values);
    for (const operand of [left, right].slice(0, operands.length)) code.get(operand);
    code.op(wasm);
    const result = code.temporary('v128');
    code.set(result);
    check(values, shape, left, right, result);
    requireAll(values, shape);
    code.get(result);
  });
}

/** Of equal numbers the second, as WebAssembly's "pseudo-minimum" gives of operands exchanged. */
function extreme(width: 32 | 64, name: 'pmin' | 'pmax'): FloatWriter {
  const shape = SHAPES[width];
  return ofVectors(width, (values, left, right) => {
    const { code } = values.scope;
    requirePlain(values, shape, left, right);
    code.get(right);
    code.get(left);
    code.op(`${shape.type}.${name}`);
  });
}

/** By bits 2:0 of the immediate, for operands that have an order. */
const PREDICATES = ['eq', 'lt', 'le', 'never', 'ne', 'ge', 'gt', 'always'] as const;

function comparison(width: 32 | 64): FloatWriter {
  const shape = SHAPES[width];
  return ofVectors(width, (values, left, right, { immediate }) => {
    const { code } = values.scope;
    const predicate = PREDICATES[immediate & 7] ?? 'never';
    requirePlain(values, shape, left, right);
    if (predicate === 'never' || predicate === 'always') {
      code.i64(predicate === 'always' ? -1n : 0n);
      code.op('i64x2.splat');
      return;
    }
    code.get(left);
    code.get(right);
    code.op(`${shape.type}.${predicate}`);
  });
}

/** ZF in bit 0, CF in bit 2. */
function order(width: 32 | 64): FloatWriter {
  const shape = SHAPES[width];
  const write: OfVectors = (values, left, right) => {
    const { code } = values.scope;
    requirePlain(values, shape, left, right);
    for (const [relation, bit] of [
      ['eq', 1],
      ['lt', 4],
    ] as const) {
      code.get(left);
      code.get(right);
      code.op(`${shape.type}.${relation}`);
      code.lane('i32x4.extract_lane', 0);
      code.i32(bit);
      code.op('i32.and');
    }
    code.op('i32.or');
  };
  return ofVectors(width, write, true);
}

const WRITERS: Readonly<Partial<Record<FloatOperationName, FloatWriter>>> = {
  add32: arithmetic(32, checkSum),
  add64: arithmetic(64, checkSum),
  sub32: arithmetic(32, checkSum),
  sub64: arithmetic(64, checkSum),
  mul32: arithmetic(32, checkProduct),
  mul64: arithmetic(64, checkProduct),
  div32: arithmetic(32, checkQuotient),
  div64: arithmetic(64, checkQuotient),
  sqrt32: arithmetic(32, checkRoot),
  sqrt64: arithmetic(64, checkRoot),
  max32: extreme(32, 'pmax'),
  max64: extreme(64, 'pmax'),
  min32: extreme(32, 'pmin'),
  min64: extreme(64, 'pmin'),
  compare32: comparison(32),
  compare64: comparison(64),
  order32: order(32),
  order64: order(64),
  orderQuietly32: order(32),
  orderQuietly64: order(64),
  ...FLOAT_CONVERSIONS,
};
