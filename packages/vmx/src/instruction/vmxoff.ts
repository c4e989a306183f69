// VMXOFF: leaves VMX operation. Left out: the dual-monitor treatment of SMIs, which the machine does not have.
import { type CheckResult, type Cpu, defineInstruction, defineRules, type Execution, sdm, UD } from '@retrovisor/core';
import { privileged, recognized } from '../checks/instruction-conditions.js';
import { reportVmxoff } from '../hazards.js';
import { endUse, regionsUsedBy } from '../regions-in-use.js';
import { succeed } from '../status.js';
import { leaveVmxOperation, vmxProcessor } from '../vmx-operation.js';

const vmxoffChecks = defineRules<Execution, CheckResult>(sdm('VMXOFF—Leave VMX Operation'), UD, [
  ...recognized('VMXOFF'),
  privileged('VMXOFF'),
]);

export const VMXOFF = defineInstruction({
  mnemonic: 'VMXOFF',
  manual: sdm('VMXOFF—Leave VMX Operation'),
  reads: ['CR0.PE', 'RFLAGS.VM', 'IA32_EFER.LMA', 'CS.attributes', 'SS.attributes'],
  writes: ['RFLAGS'],
  flags: 'VMsucceed',
  checks: vmxoffChecks,
  intrinsics: { vmxoff: { operands: [] } },
  effect(cpu: Cpu) {
    reportVmxoff(cpu);
    // Outside VMX operation no VMCS is active: what was left so is reported, and its memory is as it was.
    for (const { address } of regionsUsedBy(cpu, 'active VMCS')) endUse(cpu, address, 'active VMCS');
    endUse(cpu, vmxProcessor.of(cpu).vmxonPointer, 'VMXON region');
    leaveVmxOperation(cpu);
    return succeed(cpu);
  },
});
