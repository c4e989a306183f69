// Shifts of elements in generated code. WebAssembly takes a count modulo the width of the element; the processor shifts all
// bits out, or leaves copies of the sign. Each is the row of the same name in vector/shift.ts.
import type { Expression, VectorComputation } from '../expression/nodes.js';
import type { ValueCode } from './value-code.js';
import type { PlainOpcode } from './wasm/opcodes.js';

type Writer = (values: ValueCode, node: VectorComputation) => void;

interface Shift {
  readonly op: PlainOpcode;
  readonly width: 16 | 32 | 64;
  readonly signed: boolean;
}

function pushZero({ scope: { code } }: ValueCode): void {
  code.i64(0n);
  code.op('i64x2.splat');
}

const operandOf = ({ operands }: VectorComputation, index: number): Expression => operands[index] as Expression;

/** By the immediate. */
const byImmediate =
  ({ op, width, signed }: Shift): Writer =>
  (values, node) => {
    const { code } = values.scope;
    if (node.immediate >= width && !signed) {
      pushZero(values);
      return;
    }
    values.push(operandOf(node, 0));
    code.i32(Math.min(node.immediate, width - 1));
    code.op(op);
  };

/** By the low quadword of the second operand. */
const byVector =
  ({ op, width, signed }: Shift): Writer =>
  (values, node) => {
    const { code } = values.scope;
    const count = code.temporary('i64');
    values.push(operandOf(node, 1));
    code.lane('i64x2.extract_lane', 0);
    code.set(count);
    const pushFits = (): void => {
      code.get(count);
      code.i64(BigInt(width));
      code.op('i64.lt_u');
    };
    values.push(operandOf(node, 0));
    code.get(count);
    code.op('i32.wrap_i64');
    if (signed) {
      code.i32(width - 1);
      pushFits();
      code.op('select');
      code.op(op);
      return;
    }
    code.op(op);
    pushZero(values);
    pushFits();
    code.op('select');
  };

/** The whole vector by bytes: of it and of zeros, sixteen from a place on. */
const bytes =
  (isLeft: boolean): Writer =>
  (values, node) => {
    const by = Math.min(node.immediate, 16);
    if (isLeft) pushZero(values);
    values.push(operandOf(node, 0));
    if (!isLeft) pushZero(values);
    const start = isLeft ? 16 - by : by;
    values.scope.code.shuffle(Array.from({ length: 16 }, (_, byte) => start + byte));
  };

const SHIFTS = {
  shiftLeft16: { op: 'i16x8.shl', width: 16, signed: false },
  shiftLeft32: { op: 'i32x4.shl', width: 32, signed: false },
  shiftLeft64: { op: 'i64x2.shl', width: 64, signed: false },
  shiftRight16: { op: 'i16x8.shr_u', width: 16, signed: false },
  shiftRight32: { op: 'i32x4.shr_u', width: 32, signed: false },
  shiftRight64: { op: 'i64x2.shr_u', width: 64, signed: false },
  shiftRightSigned16: { op: 'i16x8.shr_s', width: 16, signed: true },
  shiftRightSigned32: { op: 'i32x4.shr_s', width: 32, signed: true },
} as const satisfies Readonly<Record<string, Shift>>;

export const LANE_SHIFTS: Readonly<Record<string, Writer>> = {
  ...Object.fromEntries(
    Object.entries(SHIFTS).flatMap(([name, shift]) => [
      [name, byVector(shift)],
      [`${name}By`, byImmediate(shift)],
    ]),
  ),
  shiftBytesLeft: bytes(true),
  shiftBytesRight: bytes(false),
};
