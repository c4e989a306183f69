// VMREAD: reads a field of the current VMCS to a register or to memory. A field longer than the effective operand size
// is cut, a shorter one zero-extended.
import {
  type CheckResult,
  type Cpu,
  defineInstruction,
  defineRules,
  type Execution,
  InternalError,
  type Operand,
  sdm,
  UD,
} from '@retrovisor/core';
import { accessOf, noCurrentVmcs, truncate, unsupportedField } from '../checks/field-operand.js';
import { memoryAccess, operandOf, privileged, recognized } from '../checks/instruction-conditions.js';
import { reachedVmcs } from '../exit/shadowed-fields.js';
import { succeed } from '../status.js';
import { readField } from '../vmcs-region.js';
import { vmxProcessor } from '../vmx-operation.js';

const MANUAL = sdm('VMREAD—Read Field from Virtual-Machine Control Structure');
/** Operands in encoding order: r/m, then the register with the field's encoding. */
const DESTINATION = 0;
const ENCODING = 1;

const vmreadChecks = defineRules<Execution, CheckResult>(MANUAL, UD, [
  ...recognized('VMREAD'),
  privileged('VMREAD'),
  noCurrentVmcs('VMREAD'),
  unsupportedField('VMREAD', ENCODING),
  ...memoryAccess({
    mnemonic: 'VMREAD',
    index: DESTINATION,
    access: 'write',
    checks: ['dest-segment', 'dest-page'],
    note: 'The manual does not order these against the encoding; Bochs and KVM look at the encoding first, as here.',
  }),
]);

export const VMREAD = defineInstruction({
  mnemonic: 'VMREAD',
  manual: MANUAL,
  reads: ['CR0.PE', 'RFLAGS.VM', 'IA32_EFER.LMA', 'CS.attributes', 'SS.attributes'],
  writes: ['RFLAGS'],
  flags: 'VMsucceed, VMfailInvalid or VMfailValid',
  checks: vmreadChecks,
  intrinsics: { vmread: { operands: [{ out: true }, { in: 'field' }] } },
  effect(cpu: Cpu, operands: readonly Operand[]) {
    const execution = { cpu, operands };
    const named = accessOf(execution, ENCODING);
    if (named === undefined) throw new InternalError('VMREAD of a field that its checks refused');
    const value = readField(cpu.memory, reachedVmcs(cpu, vmxProcessor.of(cpu).currentVmcs), named.field, named.access);
    operandOf(execution, DESTINATION).write(truncate(cpu, value));
    return succeed(cpu);
  },
});
