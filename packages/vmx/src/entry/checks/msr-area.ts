// Where an area of MSRs to load or store may lie (SDM, "VM-Exit Control Fields" and "VM-Entry Control Fields").
import { type FieldName, fieldNamed } from '../../fields.js';
import { endsWithinWidth, hasStructureAddress } from './address.js';
import type { EntryCheckRow } from './entry-check.js';

/** Bytes of an entry: index, reserved, value. */
const ENTRY_BYTES = 16;

/** An area by the words that its two fields begin with. */
type AreaName = 'VM-exit MSR-store' | 'VM-exit MSR-load' | 'VM-entry MSR-load';

/** The two checks of an area, `…-align` and `…-last`. */
export function msrAreaChecks(id: EntryCheckRow['id'], area: AreaName): readonly EntryCheckRow[] {
  const reads: readonly FieldName[] = [`${area} count`, `${area} address`];
  const [count, address] = [fieldNamed(`${area} count`), fieldNamed(`${area} address`)];
  return [
    {
      id: `${id}-align`,
      reads,
      appliesWhen: (state) => state.word(count) !== 0,
      holds: (state) => hasStructureAddress(state, address, ENTRY_BYTES),
      explain: `The ${area} address must be 16-byte aligned and within the physical-address width, or the count 0.`,
    },
    {
      id: `${id}-last`,
      reads,
      appliesWhen: (state) => state.word(count) !== 0,
      holds: (state) => endsWithinWidth(state, address, state.word(count) * ENTRY_BYTES),
      explain: `The last byte of the ${area} area, at address + 16 * count - 1, must be within the address width.`,
    },
  ];
}
