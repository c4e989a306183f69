// Vectors in generated code: elements of them, and operations on lanes by WebAssembly's instructions for vectors. A row of
// the table of operations names the instruction that does the same or the bytes that it moves; what takes several
// instructions is in lane-arithmetic-code.ts and lane-shift-code.ts, what computes with floating-point numbers in float-code.ts.
// By call, that is on the reference path as a whole instruction, go those whose lanes WebAssembly does not know: MPSADBW,
// PHMINPOSUW, PCMPESTRI and its fellows, AES, PCLMULQDQ; and of floating-point ones those that float-code.ts names.
import { assert, InternalError } from '../error.js';
import type { Expression, FloatComputation, Lane, VectorComputation, WithLane } from '../expression/nodes.js';
import { VECTOR_OPERATIONS } from '../vector/operations.js';
import { floatCode, floatVector, isFloatScalar, isFloatSupported } from './float-code.js';
import { LANE_ARITHMETIC } from './lane-arithmetic-code.js';
import { LANE_SHIFTS } from './lane-shift-code.js';
import type { ValueCode } from './value-code.js';
import { isPlainOpcode } from './wasm/opcodes.js';

/** Writes the code of one operation: pushes its result. */
type VectorWriter = (values: ValueCode, node: VectorComputation) => void;

const COMPOSED: Readonly<Record<string, VectorWriter>> = { ...LANE_ARITHMETIC, ...LANE_SHIFTS };

/** Whether a node that is a vector, or comes from one, can be generated. */
export function isVectorSupported(node: Expression): boolean {
  if (node.kind === 'float') return isFloatSupported(node);
  return node.kind !== 'vector' || writerOf(node) !== undefined;
}

/** Pushes it. */
export function vectorCode(values: ValueCode, node: Lane | WithLane | VectorComputation | FloatComputation): void {
  if (node.kind === 'lane') laneCode(values, node);
  else if (node.kind === 'withLane') withLaneCode(values, node);
  else if (node.kind === 'float') floatCode(values, node);
  else {
    const write = writerOf(node);
    if (write === undefined)
      throw new InternalError('an operation that is not generated', { operation: node.operation });
    write(values, node);
  }
}

function writerOf({ operation, operands, width }: VectorComputation): VectorWriter | undefined {
  if (width === 64 || operands.some((operand) => operand.width !== 128)) return undefined;
  const { wasm, sources } = VECTOR_OPERATIONS[operation];
  if (wasm !== undefined) return singleInstruction(wasm);
  return sources === undefined ? COMPOSED[operation] : permutation(sources);
}

/** Instructions that take one vector: the last operand of the operation. */
const OF_ONE = /\.(abs|bitmask|extend_\w+)$/;

function singleInstruction(wasm: string): VectorWriter {
  assert(isPlainOpcode(wasm), 'an instruction that is not in the table of opcodes', { wasm });
  const isOfOne = OF_ONE.test(wasm);
  return (values, { operands }) => {
    for (const operand of isOfOne ? operands.slice(-1) : operands) values.push(operand);
    values.scope.code.op(wasm);
  };
}

/** Of one operand, the elements come from that one alone. */
function permutation(sources: (immediate: number) => readonly number[]): VectorWriter {
  return (values, { operands, immediate }) => {
    const { code } = values.scope;
    const [left, right] = operands as readonly [Expression, Expression?];
    if (right === undefined) {
      const local = values.toLocal(left);
      code.get(local);
      code.get(local);
    } else for (const operand of operands) values.push(operand);
    code.shuffle(sources(immediate));
  };
}

const EXTRACTIONS = {
  8: 'i8x16.extract_lane_u',
  16: 'i16x8.extract_lane_u',
  32: 'i32x4.extract_lane',
  64: 'i64x2.extract_lane',
} as const;
const REPLACEMENTS = {
  8: 'i8x16.replace_lane',
  16: 'i16x8.replace_lane',
  32: 'i32x4.replace_lane',
  64: 'i64x2.replace_lane',
} as const;

function laneCode(values: ValueCode, { operand, width, index }: Lane): void {
  values.push(operand);
  values.scope.code.lane(EXTRACTIONS[width], index);
}

function withLaneCode(values: ValueCode, { operand, index, value }: WithLane): void {
  const { code } = values.scope;
  const isAlone = operand.kind === 'constant' && index === 0;
  if (isAlone && value.kind === 'memory' && value.width >= 32) {
    code.get(values.place(value));
    code.memory(value.width === 64 ? 'v128.load64_zero' : 'v128.load32_zero', 0);
    return;
  }
  values.push(operand);
  if (isFloatScalar(value) && index === 0) {
    code.get(floatVector(values, value));
    code.shuffle(Array.from({ length: 16 }, (_, byte) => (byte < value.width / 8 ? byte + 16 : byte)));
    return;
  }
  values.push(value);
  code.lane(REPLACEMENTS[value.width as 8 | 16 | 32 | 64], index);
}
