// What a translation through EPT depends on besides the paging structures: the EPTP, controls of the VMCS and what the
// processor has. It changes with VM entry and with EPTP switching, and is computed then, not in each walk. Left out: "EPT
// paging-write control" and guest-paging verification, which come with hypervisor-managed linear-address translation.
import type { ProcessorProfile } from '@retrovisor/core';
import { EPTP, reports } from './eptp.js';

/** The controls of the VMCS that a walk looks at. */
export interface EptControls {
  readonly modeBasedExecuteControl: boolean;
  readonly subPageWritePermissions: boolean;
}

/** Fixed for all translations under one EPTP. */
export interface EptContext extends EptControls {
  /** Physical address of the EPT PML4 or PML5 table. */
  readonly root: number;
  readonly walkLength: 4 | 5;
  /** Memory type of the paging structures: 0 uncacheable, 6 write-back. */
  readonly memoryType: number;
  readonly accessedAndDirty: boolean;
  /** Bits of an entry of which one at least is 1 if it is present. */
  readonly presentMask: number;
  /** Bits 51:32 of an address that are beyond the physical-address width. */
  readonly reservedHigh: number;
  readonly executeOnly: boolean;
  /** The sizes of pages, as bits of the address within one: 12, and 21 and 30 where the processor has them. */
  readonly pageShifts: number;
  readonly advancedInformation: boolean;
}

/** Bits 2:0 of an entry: read, write, execute; and bit 10, execute for user-mode linear addresses. */
export const EPT_RIGHTS = { read: 1, write: 2, execute: 4, userExecute: 0x400 } as const;

const PAGE = 2 ** 12;
const ALL_RIGHTS = EPT_RIGHTS.read | EPT_RIGHTS.write | EPT_RIGHTS.execute;

/** Bits 51:12 of an EPTP: where its structures begin, and what cached mappings are told apart by. */
export function rootOf(eptp: bigint): number {
  const address = Number(BigInt.asUintN(52, eptp));
  return address - (address % PAGE);
}

/**
 * What an EPTP means that VM entry accepted.
 * @example eptContext(findProfile('intel-server'), 0x10_005en, { modeBasedExecuteControl: false, subPageWritePermissions: false }).walkLength // 4
 */
export function eptContext(profile: ProcessorProfile, eptp: bigint, controls: EptControls): EptContext {
  const { modeBasedExecuteControl, subPageWritePermissions } = controls;
  return {
    modeBasedExecuteControl,
    subPageWritePermissions,
    root: rootOf(eptp),
    walkLength: EPTP.read(eptp, 'page-walk length less 1') === 4 ? 5 : 4,
    memoryType: EPTP.read(eptp, 'memory type'),
    accessedAndDirty: EPTP.read(eptp, 'accessed and dirty flags') === 1,
    presentMask: modeBasedExecuteControl ? ALL_RIGHTS | EPT_RIGHTS.userExecute : ALL_RIGHTS,
    reservedHigh: 2 ** 20 - 2 ** (profile.physicalAddressWidth - 32),
    executeOnly: reports(profile, 'execute-only translations'),
    pageShifts:
      pageShift(12) |
      (reports(profile, '2-MByte pages') ? pageShift(21) : 0) |
      (reports(profile, '1-GByte pages') ? pageShift(30) : 0),
    advancedInformation: reports(profile, 'advanced VM-exit information'),
  };
}

const pageShift = (shift: number): number => 1 << shift;
