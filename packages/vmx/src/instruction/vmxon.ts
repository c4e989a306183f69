// VMXON: enters VMX root operation on this logical processor, with no current VMCS. Left out: A20M, SMX operation and
// IA32_RTIT_CTL.TraceEn, which the machine does not have; INIT signals and the monitored range, likewise.
import {
  type CheckResult,
  type Cpu,
  defineInstruction,
  defineRules,
  type Execution,
  GP,
  type Operand,
  sdm,
  UD,
} from '@retrovisor/core';
import {
  type CheckRow,
  notCompatibility,
  notVirtual8086,
  placeOf,
  pointerOperand,
  privileged,
  protectedMode,
  registerOperand,
} from '../checks/instruction-conditions.js';
import {
  hasRevisionIdentifier,
  hasShadowIndicator,
  isAligned,
  isWithinWidth,
  pointerFields,
  pointerOf,
  pointsToRegion,
  revisionLocation,
} from '../checks/region-pointer.js';
import { fixedBitFields, fixedBitsViolated } from '../cr-fixed.js';
import { FEATURE_CONTROL } from '../feature-control.js';
import { reportVmxon } from '../hazards.js';
import { beginUse } from '../regions-in-use.js';
import { fail, failInvalid, succeed } from '../status.js';
import { enterVmxOperation, isInVmxOperation, vmxLocation } from '../vmx-operation.js';

const fixed = (register: 'CR0' | 'CR4'): CheckRow => ({
  id: `vmx.vmxon.${register.toLowerCase()}-fixed`,
  fields: ({ cpu }) => fixedBitFields(cpu, register, cpu.read(register)),
  holds: ({ cpu }) => fixedBitsViolated(cpu, register, cpu.read(register)) === 0n,
  result: GP(0),
  explain: `${register} must have the bits that IA32_VMX_${register}_FIXED0 and FIXED1 fix in VMX operation.`,
});

const featureControl = (check: string, bit: number, explain: string, note?: string): CheckRow => ({
  id: `vmx.vmxon.${check}`,
  fields: [`IA32_FEATURE_CONTROL.${bit}`],
  holds: ({ cpu }) => ((cpu.read('IA32_FEATURE_CONTROL') >> BigInt(bit)) & 1n) === 1n,
  result: GP(0),
  explain,
  ...(note === undefined ? {} : { note }),
});

const vmxonChecks = defineRules<Execution, CheckResult>(sdm('VMXON—Enter VMX Operation'), UD, [
  registerOperand('VMXON'),
  protectedMode('VMXON'),
  {
    id: 'vmx.vmxon.cr4-vmxe',
    fields: ['CR4.VMXE'],
    holds: ({ cpu }) => cpu.CR4.VMXE,
    explain: 'VMXON is not recognised before VMX is enabled: set CR4.VMXE (bit 13).',
  },
  notVirtual8086('VMXON'),
  notCompatibility('VMXON'),
  privileged('VMXON'),
  {
    id: 'vmx.vmxon.root-vmfail',
    fields: ({ cpu }) => [vmxLocation(cpu, 'inVmxOperation')],
    holds: ({ cpu }) => !isInVmxOperation(cpu),
    result: fail(15),
    explain: 'The logical processor is in VMX root operation already: VMXON once, or VMXOFF in between.',
  },
  fixed('CR0'),
  fixed('CR4'),
  featureControl(
    'feature-control-lock',
    FEATURE_CONTROL.lock,
    'IA32_FEATURE_CONTROL must be locked: firmware sets bit 0 together with the bits that enable VMXON.',
  ),
  featureControl(
    'feature-control-nonsmx',
    FEATURE_CONTROL.vmxonOutsideSmx,
    'IA32_FEATURE_CONTROL bit 2 must enable VMXON outside SMX operation; after the lock only RESET allows a change.',
    'SMX operation does not exist here, so this is the only enable bit. Bochs has one for both.',
  ),
  ...pointerOperand('VMXON'),
  {
    id: 'vmx.vmxon.align',
    fields: (execution) => placeOf(execution, 0),
    holds: (execution) => isAligned(pointerOf(execution)),
    result: failInvalid,
    explain: 'The VMXON pointer must be 4-KByte aligned: bits 11:0 must be 0.',
  },
  {
    id: 'vmx.vmxon.width',
    fields: pointerFields,
    holds: (execution) => isWithinWidth(execution.cpu, pointerOf(execution)),
    result: failInvalid,
    explain: 'The VMXON pointer must be a physical address within the physical-address width, not a linear address.',
  },
  {
    id: 'vmx.vmxon.revision',
    fields: (execution) => [...revisionLocation(execution), ...pointerFields(execution)],
    appliesWhen: pointsToRegion,
    holds: hasRevisionIdentifier,
    result: failInvalid,
    explain:
      'Bits 30:0 of the VMXON region must be the VMCS revision identifier of IA32_VMX_BASIC: write it at offset 0.',
    note: 'The pointer is physical: a region that was prepared at another linear address does not hold the identifier.',
  },
  {
    id: 'vmx.vmxon.revision-bit31',
    fields: revisionLocation,
    appliesWhen: pointsToRegion,
    holds: (execution) => !hasShadowIndicator(execution),
    result: failInvalid,
    explain: 'Bit 31 of the first doubleword of a VMXON region must be 0: it marks a shadow VMCS.',
  },
]);

export const VMXON = defineInstruction({
  mnemonic: 'VMXON',
  manual: sdm('VMXON—Enter VMX Operation'),
  reads: ['CR0', 'CR4', 'RFLAGS.VM', 'IA32_EFER.LMA', 'CS.attributes', 'SS.attributes', 'IA32_FEATURE_CONTROL'],
  writes: ['RFLAGS'],
  flags: 'VMsucceed, VMfailInvalid or VMfailValid',
  checks: vmxonChecks,
  intrinsics: { vmxon: { operands: [{ in: 'address' }] } },
  effect(cpu: Cpu, operands: readonly Operand[]) {
    const region = pointerOf({ cpu, operands });
    reportVmxon(cpu, region);
    enterVmxOperation(cpu, region);
    beginUse(cpu, region, 'VMXON region');
    return succeed(cpu);
  },
});
