// VMPTRLD: makes a VMCS current and active on this logical processor. The one that was current stays active.
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
import { allowsOne } from '../capability-msrs.js';
import { pointerOperand, privileged, recognized, registerOperand } from '../checks/instruction-conditions.js';
import {
  hasRevisionIdentifier,
  hasShadowIndicator,
  pointerFields,
  pointerOf,
  pointsToRegion,
  revisionLocation,
} from '../checks/region-pointer.js';
import { vmcsPointer } from '../checks/vmcs-pointer.js';
import { Secondary } from '../controls.js';
import { reportVmptrld } from '../hazards.js';
import { beginUse } from '../regions-in-use.js';
import { fail, succeed } from '../status.js';
import { setCurrentVmcs } from '../vmx-operation.js';

const MANUAL = sdm('VMPTRLD—Load Pointer to Virtual-Machine Control Structure');

const vmptrldChecks = defineRules<Execution, CheckResult>(MANUAL, UD, [
  registerOperand('VMPTRLD'),
  ...recognized('VMPTRLD'),
  privileged('VMPTRLD'),
  ...pointerOperand('VMPTRLD'),
  ...vmcsPointer('VMPTRLD', { address: 9, vmxonPointer: 10 }),
  {
    id: 'vmx.vmptrld.revision',
    fields: (execution) => [...revisionLocation(execution), ...pointerFields(execution)],
    appliesWhen: pointsToRegion,
    holds: hasRevisionIdentifier,
    result: fail(11),
    explain:
      'Bits 30:0 of the VMCS region must be the VMCS revision identifier of IA32_VMX_BASIC: write it at offset 0.',
  },
  {
    id: 'vmx.vmptrld.shadow-indicator',
    fields: revisionLocation,
    appliesWhen: (execution) =>
      pointsToRegion(execution) && !allowsOne(execution.cpu.profile, Secondary['VMCS shadowing']),
    holds: (execution) => !hasShadowIndicator(execution),
    result: fail(11),
    explain: 'Bit 31 of the first doubleword may be 1 only where the 1-setting of "VMCS shadowing" is allowed.',
  },
]);

export const VMPTRLD = defineInstruction({
  mnemonic: 'VMPTRLD',
  manual: MANUAL,
  reads: ['CR0.PE', 'RFLAGS.VM', 'IA32_EFER.LMA', 'CS.attributes', 'SS.attributes'],
  writes: ['RFLAGS'],
  flags: 'VMsucceed, VMfailInvalid or VMfailValid',
  checks: vmptrldChecks,
  intrinsics: { vmptrld: { operands: [{ in: 'address' }] } },
  effect(cpu: Cpu, operands: readonly Operand[]) {
    const region = pointerOf({ cpu, operands });
    reportVmptrld(cpu, region);
    setCurrentVmcs(cpu, region);
    beginUse(cpu, region, 'active VMCS');
    return succeed(cpu);
  },
});
