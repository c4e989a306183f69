// Checks on the VM-entry control fields (SDM, "VM-Entry Control Fields"), in the manual's order. Those of the event to
// inject are in event-injection.ts.
import { sdm } from '@retrovisor/core';
import { Entry } from '../../controls.js';
import { reservedControls } from './allowed-settings.js';
import { defineEntryChecks, INVALID_CONTROL } from './entry-check.js';
import { eventInjectionChecks } from './event-injection.js';
import { msrAreaChecks } from './msr-area.js';

export const vmEntryControlChecks = defineEntryChecks(sdm('VM-Entry Control Fields'), INVALID_CONTROL, [
  reservedControls('vmx.entry.ctl.entry.reserved', Entry['IA-32e mode guest'].group),
  ...eventInjectionChecks,
  ...msrAreaChecks('vmx.entry.ctl.entry.msr-load', 'VM-entry MSR-load'),
  {
    id: 'vmx.entry.ctl.entry.smm-outside',
    reads: [Entry['entry to SMM'], Entry['deactivate dual-monitor treatment']],
    places: () => [], // SMM is no location: the machine has none
    appliesWhen: (state) => !state.inSmm,
    holds: (state) =>
      !state.control(Entry['entry to SMM']) && !state.control(Entry['deactivate dual-monitor treatment']),
    explain: 'Outside SMM, "entry to SMM" and "deactivate dual-monitor treatment" must both be 0.',
    note: 'Bochs refuses the second here and the first nowhere.',
  },
  {
    id: 'vmx.entry.ctl.entry.smm-both',
    reads: [Entry['entry to SMM'], Entry['deactivate dual-monitor treatment']],
    holds: (state) =>
      !(state.control(Entry['entry to SMM']) && state.control(Entry['deactivate dual-monitor treatment'])),
    explain: '"entry to SMM" and "deactivate dual-monitor treatment" must not both be 1.',
  },
]);
