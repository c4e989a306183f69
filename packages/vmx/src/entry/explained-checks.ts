// The checks of VM entry as rules of the instructions that enter: for `why`, which shows all that a state violates.
import type { Execution, Rule, RuleTable } from '@retrovisor/core';
import { hasCurrentVmcs } from '../vmx-operation.js';
import type { EntryCheck, EntryFailure } from './checks/entry-check.js';
import { ENTRY_CHECKS } from './checks/entry-checks.js';
import { currentEntryState } from './current-vmcs.js';

/** Declared by VMLAUNCH and VMRESUME as `effectChecks`: their effect makes the checks, on fields that changed only. */
export const explainedEntryChecks: RuleTable<Execution, EntryFailure> = Object.values(ENTRY_CHECKS)
  .flat()
  .map(explained);

function explained({ fields, appliesWhen, holds, ...check }: EntryCheck): Rule<Execution, EntryFailure> {
  return {
    ...check,
    fields: ({ cpu }) => fields(currentEntryState(cpu)).map((field) => ofProcessor(field, cpu.id)),
    appliesWhen: ({ cpu }) => hasCurrentVmcs(cpu) && appliesWhen(currentEntryState(cpu)),
    holds: ({ cpu }) => holds(currentEntryState(cpu)),
  };
}

/** A check knows no processor: a slice that it names is that of the one that enters. */
function ofProcessor(field: string, processor: number): string {
  return field.startsWith('slice/') ? `processor/${processor}/${field}` : field;
}
