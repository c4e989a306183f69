// Firmware locked IA32_FEATURE_CONTROL without the enable bit, as with "virtualization off" in its setup: VMXON is #GP(0).
import { fault } from '@retrovisor/core';
import { IA32_FEATURE_CONTROL, LOCK, type WalkMachine, walk } from '../walk/walk.js';

export { machine } from '../walk/walk.js';

export const expected = fault('#GP', { errorCode: 0, rule: 'vmx.vmxon.feature-control-nonsmx' });

export default (machine: WalkMachine) =>
  walk(machine, { enableInFeatureControl: ({ cpu }) => cpu.wrmsr(IA32_FEATURE_CONTROL, LOCK) });
