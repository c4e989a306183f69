// Rounding: the nearest state that VM entry accepts, for whoever makes states at random. Noise violates hundreds of checks
// and tells little; a rounded state keeps all of it that no check refuses.
import { UsageError } from '@retrovisor/core';
import type { EntryCheck } from './checks/entry-check.js';
import { ENTRY_CHECKS } from './checks/entry-checks.js';
import { type RecordedVmcs, recordedState } from './recorded-vmcs.js';

const CHECKS = Object.values(ENTRY_CHECKS).flat();

type Fields = RecordedVmcs['fields'];

/**
 * A VMCS with the fields of `noise`, but for some that a violated check reads: they are those of `valid`, which must pass
 * every check. All that is not a field is that of `valid` too.
 * @throws UsageError ENTRY_CHECK if `valid` violates one
 */
export function roundedVmcs(noise: Fields, valid: RecordedVmcs): RecordedVmcs {
  let fields = noise;
  let before: Fields | undefined;
  while (fields !== before) {
    before = fields;
    for (const check of CHECKS) fields = satisfying(check, fields, valid);
  }
  return { ...valid, fields };
}

/** Fields of the check become those of `valid`, one after the other, until it holds. */
function satisfying(check: EntryCheck, before: Fields, valid: RecordedVmcs): Fields {
  if (!isViolated(check, before, valid)) return before;
  let fields = before;
  for (const { name } of check.vmcsFields.toReversed()) {
    // controls come first: they are kept while others can change
    fields = { ...fields, [name]: valid.fields[name] ?? 0n };
    if (!isViolated(check, fields, valid)) return fields;
  }
  throw new UsageError(
    'ENTRY_CHECK',
    { rule: check.id },
    `The VMCS to round to violates ${check.id}: ${check.explain}`,
  );
}

function isViolated(check: EntryCheck, fields: Fields, valid: RecordedVmcs): boolean {
  const state = recordedState({ ...valid, fields });
  return check.appliesWhen(state) && !check.holds(state);
}
