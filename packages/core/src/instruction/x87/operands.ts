// The operands of x87 instructions: a register of the stack, or a number in memory.
import { InternalError } from '../../error.js';
import { storeLinear } from '../../memory/system-access.js';
import type { Cpu } from '../../state/cpu.js';
import type { Unpacked } from '../../x87/extended.js';
import { unpacked } from '../../x87/extended.js';
import { fromInteger } from '../../x87/integer.js';
import { widened } from '../../x87/memory-format.js';
import type { Operand } from '../operand.js';
import { operandAt } from '../privilege.js';

const STACK_REGISTER = /^ST(\d)$/;

/** i of an operand ST(i); undefined for memory. */
export function stackIndex(operands: readonly Operand[], at: number): number | undefined {
  const digits = STACK_REGISTER.exec(operandAt(operands, at).register ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** i of the last operand, for instructions that name ST(0) or leave it out. */
export function otherIndex(operands: readonly Operand[]): number {
  return stackIndex(operands, operands.length - 1) ?? 0;
}

function memoryWidth<const Widths extends readonly number[]>(operand: Operand, widths: Widths): Widths[number] {
  if (!widths.includes(operand.width)) throw new InternalError('no such width', { width: operand.width });
  return operand.width;
}

/** A single- or double-precision number of memory. */
export function floatingOperand(operand: Operand): Unpacked {
  return widened(operand.read(), memoryWidth(operand, [32, 64]));
}

/** A signed integer of memory. */
export function integerOperand(operand: Operand): Unpacked {
  return unpacked(fromInteger(BigInt.asIntN(memoryWidth(operand, [16, 32, 64]), operand.read())));
}

/** Ten bytes of memory. */
export function wideOperand(operand: Operand): bigint {
  return littleEndian(operand.readBytes(10));
}

export function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** Stores ten bytes, or none if the access faults. */
export function storeWide(cpu: Cpu, operand: Operand, value: bigint): void {
  operand.probeWrite();
  const address = operand.linear('write') ?? 0n;
  storeLinear(cpu, address, 8, value & 0xffff_ffff_ffff_ffffn);
  storeLinear(cpu, address + 8n, 2, value >> 64n);
}
