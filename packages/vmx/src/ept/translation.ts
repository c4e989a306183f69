// A guest-physical address through EPT, with all that can come of it: the physical address, a VM exit, or #VE. Left out:
// sub-page write permissions, which need more of an access than its address.
import {
  type Cpu,
  type FaultExplanation,
  fault,
  NotModelled,
  type PagingEntry,
  raise,
  type SecondLevelAccess,
  sdm,
} from '@retrovisor/core';
import { type PageModificationLog, setEptFlags } from './accessed-dirty.js';
import { EPT_RIGHTS, type EptContext } from './context.js';
import { EPT_MISCONFIGURATIONS } from './misconfiguration.js';
import { countsAsWrite, neededRight, violationQualification } from './violation.js';
import {
  isConvertible,
  raisesVirtualizationException,
  storeVirtualizationInformation,
  type VirtualizationExceptions,
} from './virtualization-exception.js';
import { EptWalk, walkEpt } from './walk.js';

/** A guest whose VMCS has "enable EPT". */
export interface EptGuest {
  readonly context: EptContext;
  /** With "enable PML". */
  readonly log?: PageModificationLog | undefined;
  /** With "EPT-violation #VE". */
  readonly virtualizationExceptions?: VirtualizationExceptions | undefined;
  /** Ends what is under way and leaves the guest. */
  readonly leave: (exit: EptExit) => never;
}

/** Basic exit reasons. */
const REASON = { violation: 48, misconfiguration: 49, logFull: 62 } as const;

/** Why the guest is left. What a field does not mean for a reason is absent. */
export interface EptExit {
  /** EPT violation, EPT misconfiguration or page-modification log full. */
  readonly reason: (typeof REASON)[keyof typeof REASON];
  /** The check that decided it. */
  readonly rule: string;
  /** Bit 12, which says that IRET unblocked NMIs, is left to the VM exit. */
  readonly qualification: bigint;
  readonly guestPhysicalAddress?: bigint;
  readonly guestLinearAddress?: bigint | undefined;
}

/** Bit 61 of the entry that maps a page of 4 KBytes, in its upper half. */
const SUB_PAGE_WRITE_PERMISSIONS = 1 << 29;
const PAGE_SHIFT = 12;

const walk = new EptWalk();

/**
 * The physical address of a guest-physical one, below 2 to the 52nd, for an access; accessed and dirty flags are set and
 * the page is logged. Leaves the guest if EPT refuses the access, or raises #VE.
 */
export function translateThroughEpt(
  cpu: Cpu,
  guest: EptGuest,
  guestPhysical: number,
  access: SecondLevelAccess,
): number {
  const { context, log } = guest;
  const { memory } = cpu.draft;
  walkEpt(memory, context, guestPhysical, neededRight(context, access), walk);
  if (walk.outcome !== 'translated') return refuse(cpu, guest, access);
  if (setEptFlags(memory, context, walk, countsAsWrite(context, access), log)) return walk.physical;
  return guest.leave({ reason: REASON.logFull, rule: LOG_FULL, qualification: 0n });
}

/** The entries that the last address was translated with, from the root down. */
export function usedEntries(): readonly PagingEntry[] {
  return Array.from({ length: walk.length }, (_, depth) => {
    const address = walk.addresses[depth] as number;
    return { address, guestAddress: address, low: walk.words[depth] as number, high: walk.upperWords[depth] as number };
  });
}

function refuse(cpu: Cpu, { context, virtualizationExceptions, leave }: EptGuest, access: SecondLevelAccess): never {
  const { misconfiguration } = walk;
  const guestPhysicalAddress = BigInt(walk.guestPhysical);
  if (misconfiguration !== undefined)
    return leave({
      reason: REASON.misconfiguration,
      rule: misconfiguration.id,
      qualification: 0n,
      guestPhysicalAddress,
    });
  if (mayWriteSubPage(context, access))
    throw new NotModelled('sub-page write permissions for EPT', { guestPhysicalAddress });
  const rule = violatedRule(context);
  const guestLinearAddress = linearAddress(access);
  const qualification = BigInt(violationQualification(context, access, walk));
  const violation = { qualification, guestPhysicalAddress, guestLinearAddress };
  if (virtualizationExceptions && isConvertible(walk) && raisesVirtualizationException(cpu, virtualizationExceptions)) {
    storeVirtualizationInformation(cpu, virtualizationExceptions, violation);
    return raise(fault('#VE'), rule);
  }
  return leave({ reason: REASON.violation, rule, ...violation });
}

/** "Write Accesses That Are Eligible for Sub-Page Write Permissions": the table of the sub-pages would decide. */
function mayWriteSubPage({ subPageWritePermissions }: EptContext, { purpose }: SecondLevelAccess): boolean {
  return (
    subPageWritePermissions &&
    purpose === 'final' &&
    walk.needed === EPT_RIGHTS.write &&
    (walk.rights & EPT_RIGHTS.read) !== 0 &&
    walk.shift === PAGE_SHIFT &&
    (walk.high & SUB_PAGE_WRITE_PERMISSIONS) !== 0
  );
}

function violatedRule({ presentMask }: EptContext): string {
  if (walk.length === 0) return TOO_WIDE;
  return (walk.low & presentMask) === 0 ? NOT_PRESENT : RIGHTS;
}

function linearAddress({ linear }: SecondLevelAccess): bigint | undefined {
  return linear && (BigInt(linear.high >>> 0) << 32n) | BigInt(linear.low >>> 0);
}

const TOO_WIDE = 'vmx.ept.guest-address-width';
const NOT_PRESENT = 'vmx.ept.not-present';
const RIGHTS = 'vmx.ept.rights';
const LOG_FULL = 'vmx.ept.log-full';

/** By rule id: what `why` says of an access that EPT refuses. */
export const EPT_RULES: Readonly<Record<string, FaultExplanation>> = {
  [TOO_WIDE]: {
    manual: sdm('EPT Violations'),
    explain: 'Four levels of EPT translate guest-physical addresses of 48 bits: use five, or smaller addresses.',
  },
  [NOT_PRESENT]: {
    manual: sdm('EPT Violations'),
    explain: 'An EPT entry on the way is not present: bits 2:0 are 0, and bit 10 with mode-based execute control.',
  },
  [RIGHTS]: {
    manual: sdm('EPT Violations'),
    explain: 'Every EPT entry on the way must allow the access: look at bits 5:0 of the exit qualification.',
  },
  [LOG_FULL]: {
    manual: sdm('Page-Modification Logging'),
    explain: 'The PML index is not 0 to 511: empty the log and set the index to 511 before the next VM entry.',
  },
  ...Object.fromEntries(EPT_MISCONFIGURATIONS.map(({ id, manual, explain }) => [id, { manual, explain }])),
};
