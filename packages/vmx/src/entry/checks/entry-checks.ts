// The checks of VM entry in the order in which the groups are made (SDM, "VM Entries"): a violated control or field of
// the host ends in VMfail before anything is loaded, one of the guest in a failed entry. Inside a group the manual leaves
// the order open. Left out: the checks that need no VMCS, which are those of VMLAUNCH and VMRESUME.
import type { EntryCheckTable } from './entry-check.js';
import { guestControlRegisterChecks } from './guest-control-registers.js';
import { guestDescriptorTableChecks } from './guest-descriptor-tables.js';
import { guestNonRegisterStateChecks } from './guest-non-register-state.js';
import { guestPdpteChecks } from './guest-pdptes.js';
import { guestRipRflagsChecks } from './guest-rip-rflags.js';
import { guestSegmentChecks } from './guest-segments.js';
import { hostAddressSpaceChecks } from './host-address-space.js';
import { hostControlRegisterChecks } from './host-control-registers.js';
import { hostSegmentChecks } from './host-segments.js';
import { vmEntryControlChecks } from './vm-entry-controls.js';
import { vmExecutionControlChecks } from './vm-execution-controls.js';
import { vmExitControlChecks } from './vm-exit-controls.js';

/** A group of checks with one kind of failure. */
export type EntryCheckGroup = 'controls' | 'hostState' | 'guestState';

/** Every check, by group. */
export const ENTRY_CHECKS: Readonly<Record<EntryCheckGroup, EntryCheckTable>> = Object.freeze({
  controls: [...vmExecutionControlChecks, ...vmExitControlChecks, ...vmEntryControlChecks],
  hostState: [...hostControlRegisterChecks, ...hostSegmentChecks, ...hostAddressSpaceChecks],
  guestState: [
    ...guestControlRegisterChecks,
    ...guestSegmentChecks,
    ...guestDescriptorTableChecks,
    ...guestRipRflagsChecks,
    ...guestNonRegisterStateChecks,
    ...guestPdpteChecks,
  ],
});
