export { VM_CR } from './msrs.js';
export { svm } from './plugin.js';
export { type SvmProcessor, svmProcessorIn } from './processor-registers.js';
export { STATE_SAVE_AREA, VMCB_BYTES, VMCB_FIELDS, type VmcbField } from './vmcb.js';
export { findVmcbPlace, SEGMENT_PARTS, type VmcbPlace } from './vmcb-places.js';
