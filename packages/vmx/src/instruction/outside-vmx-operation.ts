// The VMX instructions whose work in VMX operation is not modelled yet: outside it they are #UD, as all of them are.
import { defineInstruction, type FaultExplanation, NotModelled, raise, sdm, UD } from '@retrovisor/core';
import { isInVmxOperation } from '../vmx-operation.js';

const MANUAL = {
  VMFUNC: sdm('VMFUNC—Invoke VM function'),
} as const;

const RULE = 'vmx.instruction.not-in-vmx';

/** What `why` says of it. */
export const OUTSIDE_VMX_OPERATION_RULES: Readonly<Record<string, FaultExplanation>> = {
  [RULE]: {
    manual: sdm('VMXON—Enter VMX Operation'),
    explain: 'The instruction exists only in VMX operation: execute VMXON on this logical processor first.',
  },
};

export const OUTSIDE_VMX_OPERATION = Object.entries(MANUAL).map(([mnemonic, manual]) =>
  defineInstruction({
    mnemonic,
    manual,
    reads: [],
    writes: [],
    flags: 'unaffected by #UD',
    effect(cpu) {
      if (!isInVmxOperation(cpu)) raise(UD, RULE);
      throw new NotModelled(`${mnemonic} in VMX operation`, { mnemonic });
    },
  }),
);
