// VMPTRST: stores the current-VMCS pointer, 64 bits in every mode.
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
import { memoryAccess, operandOf, privileged, recognized, registerOperand } from '../checks/instruction-conditions.js';
import { succeed } from '../status.js';
import { vmxProcessor } from '../vmx-operation.js';

const MANUAL = sdm('VMPTRST—Store Pointer to Virtual-Machine Control Structure');

const vmptrstChecks = defineRules<Execution, CheckResult>(MANUAL, UD, [
  registerOperand('VMPTRST'),
  ...recognized('VMPTRST'),
  privileged('VMPTRST'),
  ...memoryAccess({ mnemonic: 'VMPTRST', index: 0, access: 'write', checks: ['mem-segment', 'mem-page'] }),
]);

export const VMPTRST = defineInstruction({
  mnemonic: 'VMPTRST',
  manual: MANUAL,
  reads: ['CR0.PE', 'RFLAGS.VM', 'IA32_EFER.LMA', 'CS.attributes', 'SS.attributes'],
  writes: ['RFLAGS'],
  flags: 'VMsucceed',
  checks: vmptrstChecks,
  intrinsics: { vmptrst: { operands: [{ out: true }] } },
  effect(cpu: Cpu, operands: readonly Operand[]) {
    operandOf({ cpu, operands }, 0).write(vmxProcessor.of(cpu).currentVmcs);
    return succeed(cpu);
  },
});
