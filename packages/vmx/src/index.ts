// Intel VMX as a plugin of @retrovisor/core: the public API.
export { allowsOne, CAPABILITY_MSRS, type CapabilityMsr, capability } from './capability-msrs.js';
export {
  type Control,
  type ControlGroup,
  Entry,
  Exit,
  PinBased,
  Primary,
  Secondary,
  SecondaryExit,
  Tertiary,
  VmFunction,
} from './controls.js';
export type { EntryCheck, EntryCheckTable, EntryFailure } from './entry/checks/entry-check.js';
export { ENTRY_CHECKS, type EntryCheckGroup } from './entry/checks/entry-checks.js';
export { MSR_LOAD_CHECKS, type MsrAreaEntry } from './entry/checks/msr-loading.js';
export type { EntryProcessor } from './entry/entry-processor.js';
export type { EntryState } from './entry/entry-state.js';
export { type RecordedVmcs, recordedState } from './entry/recorded-vmcs.js';
export { roundedVmcs } from './entry/rounding.js';
export type { PageModificationLog } from './ept/accessed-dirty.js';
export { type EptContext, type EptControls, eptContext } from './ept/context.js';
export { isValidEptp } from './ept/eptp.js';
export { type EptExit, type EptGuest, translateThroughEpt } from './ept/translation.js';
export type { VirtualizationExceptions } from './ept/virtualization-exception.js';
export type { VmcsField } from './field-encoding.js';
export { supportedAccess, supportedFields } from './field-support.js';
export { type FieldName, fieldEncoded, fieldNamed, VMCS_FIELDS } from './fields.js';
export { VM_INSTRUCTION_ERRORS, type VmInstructionError } from './instruction-errors.js';
export { vmx } from './plugin.js';
export { type RegionUse, type VmxMachine, vmxMachineIn } from './regions-in-use.js';
export { vmFailInvalid, vmFailValid, vmSucceed } from './status.js';
export { fieldOffset, LAUNCH_STATE, REGION_HEADER } from './vmcs-region.js';
export { NO_VMCS, type VmxProcessor, vmxProcessorIn } from './vmx-operation.js';
