// Claims about addresses in fields of the VMCS, computed in halves: alignment, widths, canonicality (SDM, "Canonical
// Checking").
import type { VmcsField } from '../../field-encoding.js';
import type { EntryState } from '../entry-state.js';

/** Bits 63:`width` are 0; the width is 32 to 64. */
export function fitsWidth(high: number, width: number): boolean {
  return width >= 64 || high >>> (width - 32) === 0;
}

/** Bits 63:`width` are all equal to each other; the width is 33 to 63. */
export function extendsBit63(high: number, width: number): boolean {
  const top = (high | 0) >> (width - 32);
  return top === 0 || top === -1;
}

/** Bits 63:`width`-1 are all equal. */
export function isCanonical(high: number, width: number): boolean {
  return extendsBit63(high, width - 1);
}

/** The field has an address that is canonical on the processor, whatever paging is in use. */
export function hasCanonicalAddress(state: EntryState, field: VmcsField): boolean {
  return isCanonical(state.high(field), state.processor.linearAddressWidth);
}

/** The field has the physical address of a structure, with `alignment` bytes a power of two. */
export function hasStructureAddress(state: EntryState, field: VmcsField, alignment: number): boolean {
  return (
    (state.word(field) & (alignment - 1)) === 0 && fitsWidth(state.high(field), state.processor.structureAddressWidth)
  );
}

/** An area that begins at the field's address ends within the width of structure addresses. */
export function endsWithinWidth(state: EntryState, field: VmcsField, bytes: number): boolean {
  const { structureAddressWidth } = state.processor;
  // A list has at most 2^36 bytes, so that the upper half plus what is carried into it is exact.
  const end = state.word(field) + bytes - 1;
  return state.high(field) + Math.floor(end / 2 ** 32) < 2 ** (structureAddressWidth - 32);
}
