// SDM, "Virtualization Exceptions": an EPT violation that the guest is told of by #VE, without a VM exit. Left out: shadow
// stacks that become prematurely busy, since there are no shadow stacks.
import type { Cpu } from '@retrovisor/core';
import type { EptWalk } from './walk.js';

/** Of a VMCS whose "EPT-violation #VE" is 1. */
export interface VirtualizationExceptions {
  /** Physical address of the virtualization-exception information area. */
  readonly information: number;
  readonly eptpIndex: number;
}

/** What the area says of an EPT violation. */
export interface ViolationInformation {
  readonly qualification: bigint;
  readonly guestPhysicalAddress: bigint;
  /** Undefined where no linear address is translated. */
  readonly guestLinearAddress: bigint | undefined;
}

/** "Virtualization-Exception Information": offsets in the area. */
const AREA = {
  exitReason: 0,
  /** FFFFFFFFH from a #VE on until the guest writes 0. */
  busy: 4,
  exitQualification: 8,
  guestLinearAddress: 16,
  guestPhysicalAddress: 24,
  eptpIndex: 32,
} as const;

const EPT_VIOLATION_REASON = 48n;
const BUSY = 0xffff_ffffn;

/**
 * "Convertible EPT Violations": bit 63 of the entry that is not present, or that maps the page, is 0. An address that the
 * tables cannot translate has no such entry.
 */
export const isConvertible = ({ length, high }: EptWalk): boolean => length > 0 && high >= 0;

/** Whether a convertible violation is a #VE: not in real-address mode, during the delivery of an event, or while busy. */
export function raisesVirtualizationException(cpu: Cpu, { information }: VirtualizationExceptions): boolean {
  return cpu.CR0.PE && cpu.draft.delivering === undefined && cpu.memory.read(information + AREA.busy, 4) === 0n;
}

/** Fills the area, which is busy then. */
export function storeVirtualizationInformation(
  cpu: Cpu,
  { information, eptpIndex }: VirtualizationExceptions,
  { qualification, guestPhysicalAddress, guestLinearAddress = 0n }: ViolationInformation,
): void {
  const { memory } = cpu;
  memory.write(information + AREA.exitReason, 4, EPT_VIOLATION_REASON);
  memory.write(information + AREA.busy, 4, BUSY);
  memory.write(information + AREA.exitQualification, 8, qualification);
  memory.write(information + AREA.guestLinearAddress, 8, guestLinearAddress);
  memory.write(information + AREA.guestPhysicalAddress, 8, guestPhysicalAddress);
  memory.write(information + AREA.eptpIndex, 2, BigInt(eptpIndex));
}
