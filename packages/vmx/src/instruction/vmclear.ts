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
import { pointerOperand, privileged, recognized, registerOperand } from '../checks/instruction-conditions.js';
import { pointerOf } from '../checks/region-pointer.js';
import { vmcsPointer } from '../checks/vmcs-pointer.js';
import { reportVmclear } from '../hazards.js';
import { endUse } from '../regions-in-use.js';
import { succeed } from '../status.js';
import { LAUNCH_STATE, writeHeader } from '../vmcs-region.js';
import { NO_VMCS, setCurrentVmcs, vmxProcessor } from '../vmx-operation.js';

const MANUAL = sdm('VMCLEAR—Clear Virtual-Machine Control Structure');

const vmclearChecks = defineRules<Execution, CheckResult>(MANUAL, UD, [
  registerOperand('VMCLEAR'),
  ...recognized('VMCLEAR'),
  privileged('VMCLEAR'),
  ...pointerOperand('VMCLEAR'),
  ...vmcsPointer('VMCLEAR', { address: 2, vmxonPointer: 3 }),
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
