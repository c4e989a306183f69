// INVEPT: invalidates guest-physical and combined mappings. Which of them: type 1, those of the EPTP in the descriptor;
// type 2, all. Where no plugin models the TLB, no mapping that is kept differs from the tables.
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
import {
  descriptorFields,
  descriptorOf,
  hasSupportedType,
  type InvalidationInstruction,
  invalidationChecks,
  typeOf,
} from '../checks/invalidation-operands.js';
import { Secondary } from '../controls.js';
import { rootOf } from '../ept/context.js';
import { isValidEptp } from '../ept/eptp.js';
import { fail, succeed } from '../status.js';

const MANUAL = sdm('INVEPT—Invalidate Translations Derived from EPT');
const SINGLE_CONTEXT = 1n;

const INSTRUCTION: InvalidationInstruction = {
  mnemonic: 'INVEPT',
  capability: 'INVEPT',
  control: Secondary['enable EPT'],
  types: [undefined, 'single-context INVEPT', 'all-context INVEPT'],
};

const inveptChecks = defineRules<Execution, CheckResult>(MANUAL, UD, [
  ...invalidationChecks(INSTRUCTION),
  {
    id: 'vmx.invept.desc-reserved',
    fields: descriptorFields,
    appliesWhen: hasSupportedType(INSTRUCTION),
    holds: (execution) => descriptorOf(execution).high === 0n,
    result: fail(28),
    explain: 'Bits 127:64 of the INVEPT descriptor are reserved: write them as 0.',
    note: 'The pseudocode has no such check, the format of the descriptor says "must be zero". KVM and Bochs ignore them.',
  },
  {
    id: 'vmx.invept.eptp',
    fields: descriptorFields,
    appliesWhen: (execution) => hasSupportedType(INSTRUCTION)(execution) && typeOf(execution) === SINGLE_CONTEXT,
    holds: (execution) => isValidEptp(execution.cpu.profile, descriptorOf(execution).low),
    result: fail(28),
    explain: 'The EPTP of a single-context INVEPT must be one that VM entry would accept, with all of its bits.',
  },
]);

export const INVEPT = defineInstruction({
  mnemonic: 'INVEPT',
  manual: MANUAL,
  reads: ['CR0.PE', 'RFLAGS.VM', 'IA32_EFER.LMA', 'CS.attributes', 'SS.attributes'],
  writes: ['RFLAGS'],
  flags: 'VMsucceed, VMfailInvalid or VMfailValid',
  checks: inveptChecks,
  intrinsics: { invept: { operands: [{ in: 'type' }, { in: 'eptp' }, { in: 'reserved' }] } },
  effect(cpu: Cpu, operands: readonly Operand[]) {
    const execution = { cpu, operands };
    const isSingle = typeOf(execution) === SINGLE_CONTEXT;
    cpu.draft.flushTlb({ globals: true, tables: isSingle ? rootOf(descriptorOf(execution).low) : 'any' });
    return succeed(cpu);
  },
});
