// VMWRITE: writes a register or memory to a field of the current VMCS. A field shorter than the effective operand size
// takes the low bits; the high bits of a longer one are cleared.
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
import { VMX_MISC } from '../capability-bits.js';
import { accessOf, noCurrentVmcs, truncate, unsupportedField } from '../checks/field-operand.js';
import { memoryAccess, operandOf, placeOf, privileged, recognized } from '../checks/instruction-conditions.js';
import { reachedVmcs } from '../exit/shadowed-fields.js';
import { fail, succeed } from '../status.js';
import { writeField } from '../vmcs-region.js';
import { vmxProcessor } from '../vmx-operation.js';

const MANUAL = sdm('VMWRITE—Write Field to Virtual-Machine Control Structure');
/** Operands in encoding order: the register with the field's encoding, then r/m. */
const ENCODING = 0;
const SOURCE = 1;

const vmwriteChecks = defineRules<Execution, CheckResult>(MANUAL, UD, [
  ...recognized('VMWRITE'),
  privileged('VMWRITE'),
  ...memoryAccess({
    mnemonic: 'VMWRITE',
    index: SOURCE,
    access: 'read',
    checks: ['source-segment', 'source-page'],
    note: 'The manual does not order these against VMfail; Bochs and KVM read the source before the encoding.',
  }),
  noCurrentVmcs(
    'VMWRITE',
    'Bochs and KVM check this before they read the source operand: there VMfailInvalid hides its fault.',
  ),
  unsupportedField('VMWRITE', ENCODING),
  {
    id: 'vmx.vmwrite.read-only',
    fields: (execution) => [...placeOf(execution, ENCODING), 'IA32_VMX_MISC'],
    appliesWhen: ({ cpu }) => VMX_MISC.read(cpu.read('IA32_VMX_MISC'), 'VMWRITE to any field') === 0,
    holds: (execution) => accessOf(execution, ENCODING)?.field.group !== 'read-only data',
    result: fail(13),
    explain: 'VM-exit information fields are read-only on processors whose IA32_VMX_MISC bit 29 is 0.',
  },
]);

export const VMWRITE = defineInstruction({
  mnemonic: 'VMWRITE',
  manual: MANUAL,
  reads: ['CR0.PE', 'RFLAGS.VM', 'IA32_EFER.LMA', 'CS.attributes', 'SS.attributes', 'IA32_VMX_MISC'],
  writes: ['RFLAGS'],
  flags: 'VMsucceed, VMfailInvalid or VMfailValid',
  checks: vmwriteChecks,
  intrinsics: { vmwrite: { operands: [{ in: 'field' }, { in: 'value' }] } },
  // Reserved bits of access rights are kept: some processors drop them, and the manual lets software rely on neither.
  effect(cpu: Cpu, operands: readonly Operand[]) {
    const execution = { cpu, operands };
    const named = accessOf(execution, ENCODING);
    if (named === undefined) throw new InternalError('VMWRITE of a field that its checks refused');
    const value = truncate(cpu, operandOf(execution, SOURCE).read());
    writeField(cpu.memory, reachedVmcs(cpu, vmxProcessor.of(cpu).currentVmcs), named.field, value, named.access);
    return succeed(cpu);
  },
});
