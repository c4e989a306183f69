// The operands of an intrinsic: the caller's values in the places of the instruction's operands.
import { UsageError } from '../error.js';
import type { IntrinsicOperand, IntrinsicShape } from '../instruction/define.js';
import type { Operand } from '../instruction/operand.js';
import type { Cpu } from '../state/cpu.js';
import { NamedRegisterOperand, ValueOperand } from './value-operand.js';

const NO_REGISTERS: readonly string[] = [];

/**
 * Builds the operands of an intrinsic from the caller's values and loads the implicit register inputs.
 * @throws UsageError for a wrong number of values or one that does not fit 64 bits
 */
export function intrinsicOperands(
  cpu: Cpu,
  name: string,
  { operands: slots, registers = NO_REGISTERS }: IntrinsicShape,
  values: readonly bigint[],
): readonly Operand[] {
  const operands: Operand[] = [];
  let used = 0;
  for (const slot of slots) operands.push(operandFor(cpu, slot, 'in' in slot ? (values[used++] ?? 0n) : 0n));
  checkValues(name, values, used + registers.length);
  for (const register of registers) loadImplicit(cpu, register, values[used++] ?? 0n);
  return operands;
}

function operandFor(cpu: Cpu, slot: IntrinsicOperand, value: bigint): Operand {
  return 'register' in slot
    ? new NamedRegisterOperand(cpu, slot.register)
    : new ValueOperand('value', slot.width ?? 64, value);
}

function checkValues(intrinsic: string, values: readonly bigint[], wanted: number): void {
  let fits = values.length === wanted;
  for (const value of values) if (BigInt.asUintN(64, value) !== value) fits = false;
  if (fits) return;
  throw new UsageError(
    'BAD_INTRINSIC_OPERANDS',
    { intrinsic, values, wanted },
    `${intrinsic} takes ${wanted} unsigned 64-bit values, not (${values.join(', ')})`,
  );
}

/** EDX:EAX takes a 64-bit value in two halves, as WRMSR and MUL print it. */
function loadImplicit(cpu: Cpu, register: string, value: bigint): void {
  if (register === 'EDX:EAX') {
    cpu.RAX = value & 0xffff_ffffn;
    cpu.RDX = value >> 32n;
  } else cpu.set(register, value);
}

/** The last value that the instruction wrote to an output. */
export function outputOf(operands: readonly Operand[]): bigint | undefined {
  for (const operand of operands)
    if (operand instanceof ValueOperand && operand.written !== undefined) return operand.written;
  return undefined;
}
