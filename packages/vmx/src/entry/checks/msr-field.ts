// Checks that the host-state and the guest-state area share: fields of MSRs that an exit or an entry loads (SDM, "Checks
// on Host Control Registers, MSRs, and SSP", "Checks on Guest Control Registers, Debug Registers, and MSRs").
import type { Control } from '../../controls.js';
import { type FieldName, fieldNamed } from '../../fields.js';
import type { ReservingMsr } from '../entry-processor.js';
import type { EntryState } from '../entry-state.js';
import { hasCanonicalAddress } from './address.js';
import type { EntryCheckRow } from './entry-check.js';

type Id = EntryCheckRow['id'];

/** The field may only have bits that are not reserved in its MSR. */
export function noReservedBits(
  id: Id,
  name: FieldName,
  msr: ReservingMsr,
  control: Control,
  note?: string,
): EntryCheckRow {
  const field = fieldNamed(name);
  return {
    id,
    reads: [control, name],
    appliesWhen: (state) => state.control(control),
    holds: (state) => {
      const { low, high } = state.processor.reserved(msr);
      return (state.word(field) & low) === 0 && (state.high(field) & high) === 0;
    },
    explain: `With "${control.name}", bits that are reserved in ${msr} must be 0 in the field ${name}.`,
    ...(note === undefined ? {} : { note }),
  };
}

/** Each byte is a memory type of the PAT: 0, 1, 4, 5, 6 or 7. */
export function patTypes(id: Id, name: FieldName, control: Control): EntryCheckRow {
  const field = fieldNamed(name);
  return {
    id,
    reads: [control, name],
    appliesWhen: (state) => state.control(control),
    holds: (state) => areMemoryTypes(state.word(field)) && areMemoryTypes(state.high(field)),
    explain: `With "${control.name}", each byte of ${name} must be 0 (UC), 1 (WC), 4 (WT), 5 (WP), 6 (WB) or 7 (UC-).`,
  };
}

/** Four bytes: none above 7, and bit 1 of a byte only with bit 2. */
function areMemoryTypes(word: number): boolean {
  return (word & 0xf8f8_f8f8) === 0 && (word & 0x0202_0202 & ~(word >>> 1)) === 0;
}

/** Fields with canonical addresses, with a control or always. */
export function canonicalFields(id: Id, names: readonly FieldName[], control?: Control): EntryCheckRow {
  const fields = names.map((name) => fieldNamed(name));
  const when = control === undefined ? '' : `With "${control.name}", `;
  const verb = names.length === 1 ? 'must be a canonical address.' : 'must be canonical addresses.';
  return {
    id,
    reads: control === undefined ? names : [control, ...names],
    ...(control === undefined ? {} : { appliesWhen: (state) => state.control(control) }),
    holds: (state) => fields.every((field) => hasCanonicalAddress(state, field)),
    explain: `${when}${names.join(', ').replace(/, ([^,]+)$/, ' and $1')} ${verb}`,
  };
}

/** Bits 63:32 are 0. */
export function noUpperHalf(id: Id, name: FieldName, control: Control): EntryCheckRow {
  const field = fieldNamed(name);
  return {
    id,
    reads: [control, name],
    appliesWhen: (state) => state.control(control),
    holds: (state) => state.high(field) === 0,
    explain: `With "${control.name}", bits 63:32 of ${name} must be 0.`,
  };
}

const SUPPRESS = 0x400;
const TRACKER = 0x800;

/** IA32_S_CET: no reserved bits, a canonical bitmap base, and at most one of SUPPRESS and TRACKER. */
export function supervisorCet(id: Id, name: FieldName, control: Control): EntryCheckRow {
  const field = fieldNamed(name);
  return {
    id,
    reads: [control, name],
    appliesWhen: (state) => state.control(control),
    holds: (state) => {
      const { low, high } = state.processor.reserved('IA32_S_CET');
      const word = state.word(field);
      const isClean = (word & low) === 0 && (state.high(field) & high) === 0;
      return isClean && (word & (SUPPRESS | TRACKER)) !== (SUPPRESS | TRACKER) && hasCanonicalAddress(state, field);
    },
    explain: `With "${control.name}", ${name} must have no reserved bit, a canonical base, and not both SUPPRESS and TRACKER.`,
  };
}

const FRED_STACKS = [1, 2, 3] as const;

/** Addresses of FRED: canonical and aligned. */
export function alignedCanonical(state: EntryState, names: readonly FieldName[], alignmentMask: number): boolean {
  return names.every((name) => {
    const field = fieldNamed(name);
    return (state.word(field) & alignmentMask) === 0 && hasCanonicalAddress(state, field);
  });
}

/** IA32_FRED_RSP1 to RSP3, or SSP1 to SSP3, of one area. */
export function fredStacks(area: 'Host' | 'Guest', pointer: 'RSP' | 'SSP'): readonly FieldName[] {
  return FRED_STACKS.map((level): FieldName => `${area} IA32_FRED_${pointer}${level}`);
}

export const FRED_NOTE = 'FRED is newer than the pinned revision: the rule is that of Bochs.';
