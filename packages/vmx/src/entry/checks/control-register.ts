// The bits of CR0 and CR4 that VMX operation fixes, in a field of the VMCS (SDM, "Restrictions on VMX Operation").
import { CR0 } from '@retrovisor/core';
import type { VmcsField } from '../../field-encoding.js';
import type { EntryState } from '../entry-state.js';

/** Entries and exits leave these as they are, so that they are never checked. */
const UNCHECKED = { CR0: (1 << CR0.bits.NW) | (1 << CR0.bits.CD), CR4: 0 } as const;

/** Bits 31:0 that must be 1 and those that may be, but for the `exempt` ones; bits 63:32 must be 0 unless allowed. */
export function fixedBitsHold(state: EntryState, field: VmcsField, register: 'CR0' | 'CR4', exempt = 0): boolean {
  const mustBeOne = state.processor.capability(`IA32_VMX_${register}_FIXED0`).low;
  const mayBeOne = state.processor.capability(`IA32_VMX_${register}_FIXED1`);
  const value = state.word(field);
  const wrong = (mustBeOne & ~value) | (value & ~mayBeOne.low);
  return (wrong & ~(UNCHECKED[register] | exempt)) === 0 && (state.high(field) & ~mayBeOne.high) === 0;
}
