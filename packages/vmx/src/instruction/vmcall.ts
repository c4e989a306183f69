// VMCALL: a guest's call to its VMM, which is a VM exit. In VMX root operation it would call the SMM-transfer monitor, which no
// profile has: the dual-monitor treatment is not modelled.
import {
  type CheckResult,
  defineInstruction,
  defineRules,
  type Execution,
  InternalError,
  sdm,
  UD,
} from '@retrovisor/core';
import { notCompatibility, notInVmx, notVirtual8086, privileged } from '../checks/instruction-conditions.js';
import { fail } from '../status.js';

const MANUAL = sdm('VMCALL—Call to VM Monitor');

const vmcallChecks = defineRules<Execution, CheckResult>(MANUAL, UD, [
  notInVmx('VMCALL'),
  notVirtual8086('VMCALL'),
  notCompatibility('VMCALL'),
  privileged('VMCALL'),
  {
    id: 'vmx.vmcall.no-dual-monitor',
    holds: () => false,
    result: fail(1),
    explain:
      'VMCALL in VMX root operation fails: it is for guests, or for the SMM-transfer monitor, which is not there.',
  },
]);

export const VMCALL = defineInstruction({
  mnemonic: 'VMCALL',
  manual: MANUAL,
  reads: ['SS.attributes'],
  writes: ['RFLAGS'],
  flags: 'VMfailInvalid or VMfailValid',
  checks: vmcallChecks,
  intrinsics: { vmcall: { operands: [] } },
  effect() {
    throw new InternalError('VMCALL went on after its last check');
  },
});
