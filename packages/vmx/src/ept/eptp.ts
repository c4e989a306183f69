// The extended-page-table pointer (SDM, "Extended-Page-Table Pointer (EPTP)"): what its bits mean, and which values a
// processor accepts at VM entry, in a descriptor of INVEPT and in the list of EPTP switching.
import type { ProcessorProfile } from '@retrovisor/core';
import { defineBitFields, VMX_EPT_VPID_CAP } from '../capability-bits.js';
import { capability } from '../capability-msrs.js';

export const EPTP = defineBitFields({
  'memory type': '2:0', // of the paging structures themselves: 0 uncacheable, 6 write-back
  'page-walk length less 1': '5:3',
  'accessed and dirty flags': '6',
  'supervisor shadow-stack control': '7',
  reserved: '11:8',
});

/** A feature that IA32_VMX_EPT_VPID_CAP reports. */
export type EptVpidCapability = Parameters<typeof VMX_EPT_VPID_CAP.read>[1];

/** By encoding: what IA32_VMX_EPT_VPID_CAP must report. */
const MEMORY_TYPES: Readonly<Record<number, EptVpidCapability>> = {
  0: 'uncacheable paging structures',
  6: 'write-back paging structures',
};
const WALK_LENGTHS: Readonly<Record<number, EptVpidCapability>> = { 3: 'page-walk length 4', 4: 'page-walk length 5' };

/** Whether IA32_VMX_EPT_VPID_CAP of a processor reports a feature; undefined is one that none has. */
export function reports(profile: ProcessorProfile, feature: EptVpidCapability | undefined): boolean {
  if (feature === undefined) return false;
  return VMX_EPT_VPID_CAP.read(capability(profile, 'IA32_VMX_EPT_VPID_CAP'), feature) === 1;
}

/** One requirement of an EPTP. */
export type EptpCondition = (profile: ProcessorProfile, eptp: bigint) => boolean;

/** What an EPTP must be like; all of it, in the manual's order. */
export const EPTP_CONDITIONS = {
  memoryType: (profile, eptp) => reports(profile, MEMORY_TYPES[EPTP.read(eptp, 'memory type')]),
  walkLength: (profile, eptp) => reports(profile, WALK_LENGTHS[EPTP.read(eptp, 'page-walk length less 1')]),
  accessedAndDirty: (profile, eptp) =>
    EPTP.read(eptp, 'accessed and dirty flags') === 0 || reports(profile, 'accessed and dirty flags'),
  shadowStack: (profile, eptp) =>
    EPTP.read(eptp, 'supervisor shadow-stack control') === 0 || reports(profile, 'supervisor shadow-stack control'),
  reserved: (profile, eptp) => EPTP.read(eptp, 'reserved') === 0 && eptp >> BigInt(profile.physicalAddressWidth) === 0n,
} as const satisfies Readonly<Record<string, EptpCondition>>;

const CONDITIONS: readonly EptpCondition[] = Object.values(EPTP_CONDITIONS);

/**
 * Whether VM entry with the 1-setting of "enable EPT" would accept a value as EPTP.
 * @example isValidEptp(findProfile('intel-server'), 0x10_005en) // write-back, 4 levels, accessed and dirty flags
 */
export function isValidEptp(profile: ProcessorProfile, eptp: bigint): boolean {
  return CONDITIONS.every((holds) => holds(profile, eptp));
}
