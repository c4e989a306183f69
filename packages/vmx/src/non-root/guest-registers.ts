// The guest-state area where it is one register for one field (SDM, "Guest Register State"): what VM entry loads and VM exit
// saves as it is. What depends on controls, or is put together, stands where it is done.
import { slotOf } from '@retrovisor/core';
import type { VmcsField } from '../field-encoding.js';
import { type FieldName, fieldNamed } from '../fields.js';

/** A register of the processor and its field. */
export interface StateRow {
  readonly slot: number;
  readonly field: VmcsField;
}

export const row = (register: string, field: FieldName): StateRow => ({
  slot: slotOf(register),
  field: fieldNamed(field),
});

const SEGMENTS = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS', 'LDTR', 'TR'] as const;

/** The four parts of a segment register. The format of access rights is that of the register's attributes, bit 16 included. */
const segmentRows = (name: (typeof SEGMENTS)[number]): readonly StateRow[] => [
  row(`${name}.selector`, `Guest ${name} selector`),
  row(`${name}.base`, `Guest ${name} base`),
  row(`${name}.limit`, `Guest ${name} limit`),
  row(`${name}.attributes`, `Guest ${name} access rights`),
];

/** Loaded and saved as they are. RFLAGS is not among them: its status flags may be pending. */
export const GUEST_STATE: readonly StateRow[] = [
  ...SEGMENTS.flatMap(segmentRows),
  row('GDTR.base', 'Guest GDTR base'),
  row('GDTR.limit', 'Guest GDTR limit'),
  row('IDTR.base', 'Guest IDTR base'),
  row('IDTR.limit', 'Guest IDTR limit'),
  row('CR3', 'Guest CR3'),
  row('CR4', 'Guest CR4'),
  row('RSP', 'Guest RSP'),
  row('RIP', 'Guest RIP'),
  row('IA32_SYSENTER_CS', 'Guest IA32_SYSENTER_CS'),
  row('IA32_SYSENTER_ESP', 'Guest IA32_SYSENTER_ESP'),
  row('IA32_SYSENTER_EIP', 'Guest IA32_SYSENTER_EIP'),
  row('activity', 'Guest activity state'),
];

export const PDPTE_STATE: readonly StateRow[] = [
  row('PDPTE0', 'Guest PDPTE0'),
  row('PDPTE1', 'Guest PDPTE1'),
  row('PDPTE2', 'Guest PDPTE2'),
  row('PDPTE3', 'Guest PDPTE3'),
];

/** Bits of the interruptibility state. */
export const INTERRUPTIBILITY = { sti: 1, movSs: 2, smi: 4, nmi: 8 } as const;

/** Bits of the pending debug exceptions: B0 to B3 and BS are as in DR6, bit 12 says that one of B0 to B3 was enabled. */
export const PENDING_DEBUG = { breakpoints: 0xf, enabled: 0x1000, BS: 0x4000 } as const;
