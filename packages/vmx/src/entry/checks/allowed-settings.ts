// The check that every word of controls has: only settings that the capability MSR of the word allows.
import type { ControlGroup } from '../../controls.js';
import { fieldNamed } from '../../fields.js';
import type { EntryCheckRow } from './entry-check.js';

/** A word of controls. One that must be activated is checked while it is. */
export function reservedControls(id: EntryCheckRow['id'], group: ControlGroup): EntryCheckRow {
  const field = fieldNamed(group.field);
  const { activatedBy } = group;
  return {
    id,
    reads: activatedBy === undefined ? [group.field] : [group.field, activatedBy],
    ...(activatedBy === undefined ? {} : { appliesWhen: (state) => state.control(activatedBy) }),
    holds: (state) => {
      const { mayBeOne, mustBeOne } = state.processor.allowed(group);
      const low = state.word(field);
      if ((low & ~mayBeOne.low) !== 0 || (~low & mustBeOne.low) !== 0) return false;
      return field.bytes < 8 || (state.high(field) & ~mayBeOne.high) === 0;
    },
    explain: `The ${group.field} must have the settings that ${group.trueCapability ?? group.capability} allows.`,
  };
}
