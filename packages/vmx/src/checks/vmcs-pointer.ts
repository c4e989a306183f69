// What VMCLEAR and VMPTRLD require of a VMCS pointer; they differ in the error numbers only.
import type { VmInstructionError } from '../instruction-errors.js';
import { fail } from '../status.js';
import { vmxLocation, vmxProcessor } from '../vmx-operation.js';
import { type CheckRow, placeOf } from './instruction-conditions.js';
import { pointerFields, pointerOf, pointsToRegion } from './region-pointer.js';

/** The VM-instruction error numbers of the two checks. */
interface PointerErrors {
  readonly address: VmInstructionError;
  readonly vmxonPointer: VmInstructionError;
}

/** `vmx.vmclear.align-width` and `vmx.vmclear.vmxon-pointer` for VMCLEAR. */
export function vmcsPointer(mnemonic: 'VMCLEAR' | 'VMPTRLD', errors: PointerErrors): readonly CheckRow[] {
  const prefix = `vmx.${mnemonic.toLowerCase()}`;
  return [
    {
      id: `${prefix}.align-width`,
      fields: pointerFields,
      holds: pointsToRegion,
      result: fail(errors.address),
      explain: 'The VMCS pointer must be 4-KByte aligned and within the physical-address width.',
    },
    {
      id: `${prefix}.vmxon-pointer`,
      fields: (execution) => [...placeOf(execution, 0), vmxLocation(execution.cpu, 'vmxonPointer')],
      holds: (execution) => pointerOf(execution) !== vmxProcessor.of(execution.cpu).vmxonPointer,
      result: fail(errors.vmxonPointer),
      explain: 'The VMXON region is no VMCS: use a region of its own for each VMCS.',
    },
  ];
}
