// AMD SVM as a plugin: a table of contents. Not in this part, and so not declared: VMRUN, SKINIT, INVLPGA, VMMCALL.
import { definePlugin, PLUGIN_API_VERSION } from '@retrovisor/core';
import { SHOWN_CPUID } from './features.js';
import { svmHazards } from './hazards.js';
import { CLGI, STGI } from './instruction/stgi-clgi.js';
import { VMLOAD, VMSAVE } from './instruction/vmload-vmsave.js';
import { vmcbLocation } from './locations.js';
import { SVM_MSR_EXPLANATIONS, SVM_MSRS, SVME } from './msrs.js';
import { svmProcessor } from './svm-processor.js';
import { svmView, vmcbView } from './views.js';

/**
 * The plugin.
 * @example createMachine({ profile: 'amd-server', plugins: [svm] })
 */
export const svm = definePlugin({
  name: 'svm',
  version: '0.1.0',
  apiVersion: PLUGIN_API_VERSION,
  vendor: 'AMD',
  processorSlice: svmProcessor,
  cpuid: SHOWN_CPUID,
  msrs: SVM_MSRS,
  registerBits: [SVME],
  instructions: [VMLOAD, VMSAVE, STGI, CLGI],
  hazards: svmHazards,
  explanations: SVM_MSR_EXPLANATIONS,
  views: { svm: svmView, vmcb: vmcbView },
  locations: { vmcb: vmcbLocation },
});
