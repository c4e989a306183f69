// Intel VMX as a plugin: a table of contents; every value comes from the file of that name.
import { definePlugin, PLUGIN_API_VERSION } from '@retrovisor/core';
import { CPUID_VMX } from './capability-msrs.js';
import { CR4_VMXE, FIXED_BITS } from './cr-fixed.js';
import { EPT_RULES } from './ept/translation.js';
import {
  INTERCEPTED_INSTRUCTIONS,
  interceptFirst,
  interceptInstruction,
  NOT_ENABLED_RULES,
} from './exit/instruction-exits.js';
import { FEATURE_CONTROL_MSRS, FEATURE_CONTROL_RULES } from './feature-control.js';
import { VMX_FEATURES } from './feature-switches.js';
import { reportStore, vmxHazards } from './hazards.js';
import { INVEPT } from './instruction/invept.js';
import { INVVPID } from './instruction/invvpid.js';
import { VMCALL } from './instruction/vmcall.js';
import { VMCLEAR } from './instruction/vmclear.js';
import { VMFUNC } from './instruction/vmfunc.js';
import { VMLAUNCH, VMRESUME } from './instruction/vmlaunch.js';
import { VMPTRLD } from './instruction/vmptrld.js';
import { VMPTRST } from './instruction/vmptrst.js';
import { VMREAD } from './instruction/vmread.js';
import { VMWRITE } from './instruction/vmwrite.js';
import { VMXOFF } from './instruction/vmxoff.js';
import { VMXON } from './instruction/vmxon.js';
import { vmcsLocation, vmxonRegionLocation } from './locations.js';
import { SHOWN_CAPABILITY_MSRS } from './modelled-capabilities.js';
import { accessControlRegister } from './non-root/control-registers.js';
import { GUEST_REGISTERS } from './non-root/controls-in-use.js';
import { GUEST_EVENTS, holdsEvent, interceptEvent } from './non-root/events.js';
import { interceptException, interceptShutdown, interceptTaskSwitch } from './non-root/exceptions.js';
import { guestMode, stepped } from './non-root/guest-mode.js';
import { preemptionTimer } from './non-root/preemption-timer.js';
import { shownTimeStamp } from './non-root/time-stamp.js';
import { vmxMachine, watchedFrames } from './regions-in-use.js';
import { vmcsView, vmxView } from './views.js';
import { vmxProcessor } from './vmx-operation.js';

/**
 * Intel VMX (SDM, "Introduction to VMX Operation"): VMX root and non-root operation, VMCS regions, the instructions that
 * maintain them, VM entries and VM exits, EPT and VPIDs.
 * @example createMachine({ profile: 'intel-server', plugins: [vmx] })
 */
export const vmx = definePlugin({
  name: 'vmx',
  version: '0.1.0',
  apiVersion: PLUGIN_API_VERSION,
  vendor: 'Intel',
  machineSlice: vmxMachine,
  processorSlice: vmxProcessor,
  cpuid: [CPUID_VMX],
  features: VMX_FEATURES,
  msrs: { ...SHOWN_CAPABILITY_MSRS, ...FEATURE_CONTROL_MSRS },
  registerBits: [CR4_VMXE],
  registers: GUEST_REGISTERS,
  instructions: [
    VMXON,
    VMXOFF,
    VMCLEAR,
    VMPTRLD,
    VMPTRST,
    VMREAD,
    VMWRITE,
    VMLAUNCH,
    VMRESUME,
    VMCALL,
    INVEPT,
    INVVPID,
    VMFUNC,
  ],
  guestMode,
  interceptedInstructions: INTERCEPTED_INSTRUCTIONS,
  boundaryEvents: GUEST_EVENTS,
  processorTimer: preemptionTimer,
  intercepts: {
    beforeInstruction: interceptFirst,
    instruction: interceptInstruction,
    controlRegister: accessControlRegister,
    timeStamp: shownTimeStamp,
    watchedStore: reportStore,
    exception: interceptException,
    shutdown: interceptShutdown,
    taskSwitch: interceptTaskSwitch,
    event: interceptEvent,
    holdsEvent,
    stepped,
  },
  explanations: { ...FIXED_BITS, ...FEATURE_CONTROL_RULES, ...EPT_RULES, ...NOT_ENABLED_RULES },
  hazards: vmxHazards,
  views: { vmx: vmxView, vmcs: vmcsView },
  locations: { vmcs: vmcsLocation, 'vmxon-region': vmxonRegionLocation },
  watchedFrames,
});
