// INVVPID: invalidates linear and combined mappings by VPID. Type 0: those of one address; 1: all of a VPID; 2: all of
// every VPID but 0; 3: of a VPID all but global ones. Where no plugin models the TLB, no mapping that is kept differs from
// the tables.
import {
  type CheckResult,
  type Cpu,
  defineInstruction,
  defineRules,
  type Execution,
  type Invalidation,
  type Operand,
  sdm,
  UD,
} from '@retrovisor/core';
import type { Operation } from '../checks/instruction-conditions.js';
import {
  descriptorFields,
  descriptorOf,
  hasSupportedType,
  type InvalidationInstruction,
  invalidationChecks,
  typeOf,
} from '../checks/invalidation-operands.js';
import { Secondary } from '../controls.js';
import { fail, succeed } from '../status.js';

const MANUAL = sdm('INVVPID—Invalidate Translations Based on VPID');
const TYPE = { individualAddress: 0n, singleContext: 1n, allContext: 2n } as const;
const VPID = 0xffffn;

const INSTRUCTION: InvalidationInstruction = {
  mnemonic: 'INVVPID',
  capability: 'INVVPID',
  control: Secondary['enable VPID'],
  types: [
    'individual-address INVVPID',
    'single-context INVVPID',
    'all-context INVVPID',
    'single-context-retaining-globals INVVPID',
  ],
};

const invvpidChecks = defineRules<Execution, CheckResult>(MANUAL, UD, [
  ...invalidationChecks(INSTRUCTION),
  {
    id: 'vmx.invvpid.desc-reserved',
    fields: descriptorFields,
    appliesWhen: hasSupportedType(INSTRUCTION),
    holds: (execution) => (descriptorOf(execution).low & ~VPID) === 0n,
    result: fail(28),
    explain: 'Bits 63:16 of the INVVPID descriptor are reserved: write them as 0.',
  },
  {
    id: 'vmx.invvpid.vpid-zero',
    fields: descriptorFields,
    appliesWhen: (execution) => hasSupportedType(INSTRUCTION)(execution) && typeOf(execution) !== TYPE.allContext,
    holds: (execution) => (descriptorOf(execution).low & VPID) !== 0n,
    result: fail(28),
    explain: 'The VPID in the descriptor must not be 0, which is that of VMX root operation, unless the type is 2.',
  },
  {
    id: 'vmx.invvpid.noncanonical',
    fields: descriptorFields,
    appliesWhen: (execution) => typeOf(execution) === TYPE.individualAddress,
    holds: ({ cpu, operands }) => isCanonical(descriptorOf({ cpu, operands }).high, cpu.profile.linearAddressWidth),
    result: fail(28),
    explain: 'The linear address in the descriptor must be canonical: linear-address masking does not apply to it.',
    note: 'As for INVPCID the width that the processor has counts, not the one that CR4.LA57 chooses. So it is in KVM.',
  },
]);

/** What each type invalidates, for all process-context identifiers. */
function invalidation(execution: Operation): Invalidation {
  const { low, high: address } = descriptorOf(execution);
  const space = Number(low & VPID);
  switch (typeOf(execution)) {
    case TYPE.individualAddress:
      return { address, space, globals: true };
    case TYPE.singleContext:
      return { space, globals: true };
    case TYPE.allContext:
      return { space: 'guests', globals: true };
    default:
      return { space, globals: false };
  }
}

function isCanonical(address: bigint, bits: number): boolean {
  return BigInt.asIntN(bits, address) === BigInt.asIntN(64, address);
}

export const INVVPID = defineInstruction({
  mnemonic: 'INVVPID',
  manual: MANUAL,
  reads: ['CR0.PE', 'RFLAGS.VM', 'IA32_EFER.LMA', 'CS.attributes', 'SS.attributes'],
  writes: ['RFLAGS'],
  flags: 'VMsucceed, VMfailInvalid or VMfailValid',
  checks: invvpidChecks,
  intrinsics: { invvpid: { operands: [{ in: 'type' }, { in: 'vpid' }, { in: 'address' }] } },
  effect(cpu: Cpu, operands: readonly Operand[]) {
    cpu.draft.flushTlb(invalidation({ cpu, operands }));
    return succeed(cpu);
  },
});
