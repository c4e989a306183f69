// The checks that VMREAD and VMWRITE share: a current VMCS, and an encoding that names a supported field. Effective
// operand size: 64 bits in 64-bit mode, else 32, whatever prefixes say.
import type { Cpu } from '@retrovisor/core';
import { reachedVmcs } from '../exit/shadowed-fields.js';
import { type FieldAccess, supportedAccess } from '../field-support.js';
import { fail, failInvalid } from '../status.js';
import { NO_VMCS, vmxLocation, vmxProcessor } from '../vmx-operation.js';
import { type CheckRow, type Operation, operandOf, placeOf } from './instruction-conditions.js';

/** Bits of the register operand and of what is read or written. */
function effectiveOperandBits(cpu: Cpu): 32 | 64 {
  return cpu.mode === '64-bit' ? 64 : 32;
}

/** Cuts a value to the effective operand size. */
export function truncate(cpu: Cpu, value: bigint): bigint {
  return BigInt.asUintN(effectiveOperandBits(cpu), value);
}

/** What the operand with the field's encoding names, or undefined if no supported field. */
export function accessOf(execution: Operation, encodingIndex: number): FieldAccess | undefined {
  const { cpu } = execution;
  return supportedAccess(cpu.profile, truncate(cpu, operandOf(execution, encodingIndex).read()));
}

export const noCurrentVmcs = (mnemonic: string, note?: string): CheckRow => ({
  id: `vmx.${mnemonic.toLowerCase()}.no-current`,
  fields: ({ cpu }) => [vmxLocation(cpu, 'currentVmcs')],
  holds: ({ cpu }) => reachedVmcs(cpu, vmxProcessor.of(cpu).currentVmcs) !== NO_VMCS,
  result: failInvalid,
  explain: `${mnemonic} needs a current VMCS: execute VMPTRLD on this logical processor first.`,
  ...(note === undefined ? {} : { note }),
});

export const unsupportedField = (mnemonic: string, encodingIndex: number): CheckRow => ({
  id: `vmx.${mnemonic.toLowerCase()}.unsupported`,
  fields: (execution) => placeOf(execution, encodingIndex),
  holds: (execution) => accessOf(execution, encodingIndex) !== undefined,
  result: fail(12),
  explain:
    'The encoding must name a field that the processor supports, with reserved bits 0 and high access of 64 bits only.',
});
