// How a check of VM entry is declared: a rule over an EntryState, with every field and control that it reads by name.
// The list must be complete: an entry evaluates again only the checks whose fields changed since the last one that
// succeeded.
import { type Citation, defineRules, InternalError, type Rule, type RuleRow } from '@retrovisor/core';
import type { Control } from '../../controls.js';
import type { VmcsField } from '../../field-encoding.js';
import { type FieldName, fieldNamed } from '../../fields.js';
import { type EntryState, fieldsOfControl } from '../entry-state.js';

/**
 * What a violation leads to: VMfailValid with a number, or a failed entry with a basic exit reason and an exit
 * qualification (SDM, "VM-Entry Failures During or After Loading Guest State").
 */
export type EntryFailure =
  | { readonly kind: 'VMfailValid'; readonly number: 7 | 8 }
  | { readonly kind: 'entry failure'; readonly reason: 33; readonly qualification: 0 | 2 | 3 | 4 };

export const INVALID_CONTROL: EntryFailure = { kind: 'VMfailValid', number: 7 };
export const INVALID_HOST_STATE: EntryFailure = { kind: 'VMfailValid', number: 8 };
export const INVALID_GUEST_STATE: EntryFailure = { kind: 'entry failure', reason: 33, qualification: 0 };
export const INVALID_PDPTE: EntryFailure = { kind: 'entry failure', reason: 33, qualification: 2 };
export const INVALID_NMI_INJECTION: EntryFailure = { kind: 'entry failure', reason: 33, qualification: 3 };
export const INVALID_LINK_POINTER: EntryFailure = { kind: 'entry failure', reason: 33, qualification: 4 };

/** A row as it is written. */
export interface EntryCheckRow extends Omit<RuleRow<EntryState, EntryFailure>, 'fields'> {
  readonly id: `vmx.entry.${string}`;
  /** Fields of the VMCS that guard and claim read; a control stands for its word and for those that activate it. */
  readonly reads: readonly (FieldName | Control)[];
  /** Locations outside the VMCS that they read: registers and memory. Such a check is evaluated at every entry. */
  readonly places?: (state: EntryState) => readonly string[];
}

/** A row with nothing left out. */
export interface EntryCheck extends Rule<EntryState, EntryFailure> {
  /** The fields of the VMCS that decide it. */
  readonly vmcsFields: readonly VmcsField<FieldName>[];
  /** It depends on nothing but those fields and the processor. */
  readonly onlyReadsVmcs: boolean;
}

/** A table of checks in the manual's order. */
export type EntryCheckTable = readonly EntryCheck[];

/** Declares the checks of one section. */
export function defineEntryChecks(
  manual: Citation,
  result: EntryFailure,
  rows: readonly EntryCheckRow[],
): EntryCheckTable {
  return rows.map(({ reads, places, ...row }) => {
    const vmcsFields = fieldsRead(reads);
    const locations = vmcsFields.map(({ name }) => `vmcs:${name}`);
    const fields = (state: EntryState) => [...locations, ...(places?.(state) ?? [])];
    const [rule] = defineRules(manual, result, [{ ...row, fields }]);
    if (rule === undefined) throw new InternalError(`the check ${row.id} is lost`);
    return Object.freeze({ ...rule, vmcsFields, onlyReadsVmcs: places === undefined });
  });
}

function fieldsRead(reads: EntryCheckRow['reads']): readonly VmcsField<FieldName>[] {
  const fields = reads.flatMap((read) => (typeof read === 'string' ? [fieldNamed(read)] : fieldsOfControl(read)));
  return [...new Set(fields)];
}
