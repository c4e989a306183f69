// What a VM exit says of an access that EPT refuses (SDM, "Basic VM-Exit Information", table "Exit Qualification for EPT
// Violations"), and which right an access needs. Left out: shadow-stack accesses, guest-paging verification and asynchronous
// exits, bits 13 to 16, which nothing here causes; and bit 12, which is the VM exit's to add.
import type { PageTranslation, SecondLevelAccess } from '@retrovisor/core';
import { EPT_RIGHTS, type EptContext } from './context.js';
import type { EptWalk } from './walk.js';

/** Bits of the exit qualification. */
const EPT_VIOLATION = {
  read: 1 << 0,
  write: 1 << 1,
  fetch: 1 << 2,
  readable: 1 << 3,
  writable: 1 << 4,
  executable: 1 << 5,
  userExecutable: 1 << 6,
  linearAddressValid: 1 << 7,
  finalTranslation: 1 << 8,
  userModeAddress: 1 << 9,
  writablePage: 1 << 10,
  executeDisabledPage: 1 << 11,
} as const;

/** Of a page of the guest: R/W and U/S. */
const [WRITABLE, USER] = [2, 4];

/**
 * Whether an access counts as a write. With accessed and dirty flags for EPT each access to the guest's paging structures
 * does, but for loads of the PDPTE registers, which no linear address causes.
 */
export function countsAsWrite({ accessedAndDirty }: EptContext, { kind, purpose }: SecondLevelAccess): boolean {
  return kind === 'write' || (purpose === 'page walk' && accessedAndDirty);
}

/** A linear address is one of user mode if the guest's paging says so, or is off. */
const isUserMode = (page: PageTranslation | undefined): boolean => page === undefined || (page.rights & USER) !== 0;

/** The bit of EPT_RIGHTS that must be 1 in every entry. */
export function neededRight(context: EptContext, access: SecondLevelAccess): number {
  if (countsAsWrite(context, access)) return EPT_RIGHTS.write;
  if (access.kind === 'read') return EPT_RIGHTS.read;
  return context.modeBasedExecuteControl && isUserMode(access.page) ? EPT_RIGHTS.userExecute : EPT_RIGHTS.execute;
}

/** The exit qualification of an EPT violation. */
export function violationQualification(context: EptContext, access: SecondLevelAccess, { rights }: EptWalk): number {
  const allowed = rights & (EPT_RIGHTS.read | EPT_RIGHTS.write | EPT_RIGHTS.execute);
  const user = rights & EPT_RIGHTS.userExecute ? EPT_VIOLATION.userExecutable : 0;
  return kindBits(context, access) | (allowed * EPT_VIOLATION.readable) | user | linearAddressBits(context, access);
}

/** A write to an entry of the guest's paging structures is a read too: it is read, changed and written. */
function kindBits(context: EptContext, access: SecondLevelAccess): number {
  if (access.kind === 'fetch') return EPT_VIOLATION.fetch;
  if (!countsAsWrite(context, access)) return EPT_VIOLATION.read;
  return access.purpose === 'page walk' ? EPT_VIOLATION.read | EPT_VIOLATION.write : EPT_VIOLATION.write;
}

function linearAddressBits({ advancedInformation }: EptContext, { linear, purpose, page }: SecondLevelAccess): number {
  if (linear === undefined) return 0;
  if (purpose !== 'final') return EPT_VIOLATION.linearAddressValid;
  const valid = EPT_VIOLATION.linearAddressValid | EPT_VIOLATION.finalTranslation;
  return advancedInformation ? valid | pageBits(page) : valid;
}

/** What the guest's paging allows at the linear address: everything, and to user mode, where it is off. */
function pageBits(page: PageTranslation | undefined): number {
  if (page === undefined) return EPT_VIOLATION.userModeAddress | EPT_VIOLATION.writablePage;
  return (
    (isUserMode(page) ? EPT_VIOLATION.userModeAddress : 0) |
    ((page.rights & WRITABLE) !== 0 ? EPT_VIOLATION.writablePage : 0) |
    (page.executeDisabled ? EPT_VIOLATION.executeDisabledPage : 0)
  );
}
