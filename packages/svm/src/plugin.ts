// AMD SVM as a plugin: a table of contents.
import { definePlugin, PLUGIN_API_VERSION } from '@retrovisor/core';
import { INJECTED_EVENT } from './event-injection.js';
import { SHOWN_CPUID } from './features.js';
import { accessControlRegister, guestTimeStamp } from './guest-registers.js';
import { svmHazards } from './hazards.js';
import { CLGI, STGI } from './instruction/stgi-clgi.js';
import { VMLOAD, VMSAVE } from './instruction/vmload-vmsave.js';
import { INVLPGA, SKINIT, VMMCALL } from './instruction/vmmcall-invlpga-skinit.js';
import { VMRUN } from './instruction/vmrun.js';
import { interceptEvent, interceptException, interceptShutdown, interceptTaskSwitch } from './intercepted-events.js';
import { beforeInstruction, checkedInstruction, INTERCEPTED_MNEMONICS } from './intercepted-instructions.js';
import { vmcbLocation } from './locations.js';
import { SVM_EXPLANATIONS, SVM_MSRS, SVME } from './msrs.js';
import { guestOf } from './nested-paging.js';
import { PROCESSOR_REGISTERS } from './processor-registers.js';
import { svmView, vmcbView } from './views.js';
import { holdsEvent, VIRTUAL_INTERRUPT, VIRTUAL_NMI } from './virtual-interrupts.js';

/**
 * The plugin.
 * @example createMachine({ profile: 'amd-server', plugins: [svm] })
 */
export const svm = definePlugin({
  name: 'svm',
  version: '0.1.0',
  apiVersion: PLUGIN_API_VERSION,
  vendor: 'AMD',
  registers: PROCESSOR_REGISTERS,
  cpuid: SHOWN_CPUID,
  msrs: SVM_MSRS,
  registerBits: [SVME],
  instructions: [VMRUN, VMMCALL, VMLOAD, VMSAVE, STGI, CLGI, SKINIT, INVLPGA],
  guestMode: { guestOf },
  boundaryEvents: [
    { ...INJECTED_EVENT, before: 'machine check' },
    { ...VIRTUAL_NMI, before: 'NMI' },
    VIRTUAL_INTERRUPT,
  ],
  interceptedInstructions: INTERCEPTED_MNEMONICS,
  intercepts: {
    beforeInstruction,
    instruction: checkedInstruction,
    exception: interceptException,
    event: interceptEvent,
    holdsEvent,
    shutdown: interceptShutdown,
    taskSwitch: interceptTaskSwitch,
    controlRegister: accessControlRegister,
    timeStamp: guestTimeStamp,
  },
  hazards: svmHazards,
  explanations: SVM_EXPLANATIONS,
  views: { svm: svmView, vmcb: vmcbView },
  locations: { vmcb: vmcbLocation },
});
