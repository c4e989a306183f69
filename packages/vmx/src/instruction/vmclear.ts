// VMCLEAR: initialises a VMCS region and makes the VMCS inactive, not current and clear. Its data are in memory
// already.
import {
  type CheckResult,
  type Cpu,
  defineInstruction,
  defineRules,
  type Execution,
  type Operand,
  sdm,
  UD,
} from '@retrovisor/core';
import { placeOf, pointerOperand, privileged, recognized, registerOperand } from '../checks/instruction-conditions.js';
import { pointerFields, pointerOf, pointsToRegion } from '../checks/region-pointer.js';
import { reportVmclear } from '../hazards.js';
import { endUse } from '../regions-in-use.js';
import { fail, succeed } from '../status.js';
import { LAUNCH_STATE, writeHeader } from '../vmcs-region.js';
import { NO_VMCS, setCurrentVmcs, vmxLocation, vmxProcessor } from '../vmx-operation.js';

const MANUAL = sdm('VMCLEAR—Clear Virtual-Machine Control Structure');

const vmclearChecks = defineRules<Execution, CheckResult>(MANUAL, UD, [
  registerOperand('VMCLEAR'),
  ...recognized('VMCLEAR'),
  privileged('VMCLEAR'),
  ...pointerOperand('VMCLEAR'),
  {
    id: 'vmx.vmclear.align-width',
    fields: pointerFields,
    holds: pointsToRegion,
    result: fail(2),
    explain: 'The VMCS pointer must be 4-KByte aligned and within the physical-address width.',
  },
  {
    id: 'vmx.vmclear.vmxon-pointer',
    fields: (execution) => [...placeOf(execution, 0), vmxLocation(execution.cpu, 'vmxonPointer')],
    holds: (execution) => pointerOf(execution) !== vmxProcessor.of(execution.cpu).vmxonPointer,
    result: fail(3),
    explain: 'The VMXON region is no VMCS: use a region of its own for each VMCS.',
  },
]);

export const VMCLEAR = defineInstruction({
  mnemonic: 'VMCLEAR',
  manual: MANUAL,
  reads: ['CR0.PE', 'RFLAGS.VM', 'IA32_EFER.LMA', 'CS.attributes', 'SS.attributes'],
  writes: ['RFLAGS'],
  flags: 'VMsucceed, VMfailInvalid or VMfailValid',
  checks: vmclearChecks,
  intrinsics: { vmclear: { operands: [{ in: 'address' }] } },
  effect(cpu: Cpu, operands: readonly Operand[]) {
    const region = pointerOf({ cpu, operands });
    reportVmclear(cpu, region);
    // The revision identifier is neither checked nor written: software wrote it, or VMPTRLD will refuse the region.
    writeHeader(cpu.memory, region, 'launch state', LAUNCH_STATE.clear);
    endUse(cpu, region, 'active VMCS');
    if (vmxProcessor.of(cpu).currentVmcs === region) setCurrentVmcs(cpu, NO_VMCS);
    return succeed(cpu);
  },
});
