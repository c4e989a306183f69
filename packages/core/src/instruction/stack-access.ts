// The stack as function-form instructions use it, in the width of SS. Stores come before the stack pointer moves, so that a
// fault leaves it; the pointer is written by whoever knows that nothing can fault any more.
import type { SegmentIndex } from '../memory/linear-memory.js';
import { loadLinear, storeLinear } from '../memory/system-access.js';
import type { Cpu } from '../state/cpu.js';
import { stackWidth } from './stack-cursor.js';

const STACK: SegmentIndex = 2;
/** The width of a push or pop: the operand size, which in 64-bit mode is 64 unless it is 16. */
export function stackOperandBytes(cpu: Cpu, operandWidth: 16 | 32 | 64): 2 | 4 | 8 {
  if (operandWidth === 16) return 2;
  return cpu.mode === '64-bit' || operandWidth === 64 ? 8 : 4;
}

/** The linear address of bytes at a stack pointer; raises #SS(0). */
function linearOf(cpu: Cpu, pointer: bigint, bytes: number, write: boolean): bigint {
  if (cpu.mode === '64-bit') return pointer;
  return BigInt(cpu.draft.tlb.segmented(Number(BigInt.asIntN(32, pointer)), STACK, bytes, write) >>> 0);
}

/** A stack pointer moved by some bytes, wrapped to the stack's width. */
export function moved(cpu: Cpu, pointer: bigint, bytes: number): bigint {
  return BigInt.asUintN(stackWidth(cpu), pointer + BigInt(bytes));
}

/** The stack pointer as wide as the stack is. */
export const stackTop = (cpu: Cpu): bigint => BigInt.asUintN(stackWidth(cpu), cpu.RSP);

/** RSP, ESP or SP takes as much of a value as it holds; what is above it stays, but for the upper half under ESP. */
export function setStackTop(cpu: Cpu, pointer: bigint): void {
  const width = stackWidth(cpu);
  const kept = width === 16 ? cpu.RSP & ~0xffffn : 0n;
  cpu.RSP = kept | BigInt.asUintN(width, pointer);
}

/** The value at a stack pointer. */
export function stackLoad(cpu: Cpu, pointer: bigint, bytes: 2 | 4 | 8): bigint {
  return loadLinear(cpu, linearOf(cpu, pointer, bytes, false), bytes, STACK);
}

/** Stores a value at a stack pointer. */
export function stackStore(cpu: Cpu, pointer: bigint, bytes: 2 | 4 | 8, value: bigint): void {
  storeLinear(cpu, linearOf(cpu, pointer, bytes, true), bytes, value, STACK);
}

/** Raises what a store of a byte at a stack pointer would, and stores nothing. */
export function stackProbe(cpu: Cpu, pointer: bigint): void {
  const address = linearOf(cpu, pointer, 1, true);
  cpu.draft.tlb.modify8(Number(BigInt.asIntN(32, address)), Number(BigInt.asIntN(32, address >> 32n)), STACK);
}

/** Stores values below the top of the stack, the first one highest, and returns the top after them. */
export function pushed(cpu: Cpu, bytes: 2 | 4 | 8, values: readonly bigint[]): bigint {
  let top = stackTop(cpu);
  for (const value of values) {
    top = moved(cpu, top, -bytes);
    stackStore(cpu, top, bytes, value);
  }
  return top;
}

/** Loads `count` values from the top of the stack, and the top above them. */
export function popped(
  cpu: Cpu,
  bytes: 2 | 4 | 8,
  count: number,
): { readonly values: readonly bigint[]; readonly top: bigint } {
  let top = stackTop(cpu);
  const values: bigint[] = [];
  for (let index = 0; index < count; index++) {
    values.push(stackLoad(cpu, top, bytes));
    top = moved(cpu, top, bytes);
  }
  return { values, top };
}
