// Checks on the VM-exit control fields (SDM, "VM-Exit Control Fields"), in the manual's order.
import { sdm } from '@retrovisor/core';
import { Exit, PinBased, SecondaryExit } from '../../controls.js';
import { reservedControls } from './allowed-settings.js';
import { defineEntryChecks, INVALID_CONTROL } from './entry-check.js';
import { msrAreaChecks } from './msr-area.js';

const TIMER = PinBased['activate VMX-preemption timer'];

export const vmExitControlChecks = defineEntryChecks(sdm('VM-Exit Control Fields'), INVALID_CONTROL, [
  reservedControls('vmx.entry.ctl.exit.reserved', Exit['host address-space size'].group),
  reservedControls('vmx.entry.ctl.exit.reserved2', SecondaryExit['load FRED'].group),
  {
    id: 'vmx.entry.ctl.exit.save-timer',
    reads: [TIMER, Exit['save VMX-preemption timer value']],
    appliesWhen: (state) => !state.control(TIMER),
    holds: (state) => !state.control(Exit['save VMX-preemption timer value']),
    explain: 'There is no timer value to save: set "activate VMX-preemption timer" or do not save it.',
  },
  ...msrAreaChecks('vmx.entry.ctl.exit.msr-store', 'VM-exit MSR-store'),
  ...msrAreaChecks('vmx.entry.ctl.exit.msr-load', 'VM-exit MSR-load'),
]);
