// IA32_FEATURE_CONTROL has the enable bit, but nobody locked it: VMXON is #GP(0).
import { fault } from '@retrovisor/core';
import { IA32_FEATURE_CONTROL, VMXON_OUTSIDE_SMX, type WalkMachine, walk } from '../walk/walk.js';

export { machine } from '../walk/walk.js';

export const expected = fault('#GP', { errorCode: 0, rule: 'vmx.vmxon.feature-control-lock' });

export default (machine: WalkMachine) =>
  walk(machine, { enableInFeatureControl: ({ cpu }) => cpu.wrmsr(IA32_FEATURE_CONTROL, VMXON_OUTSIDE_SMX) });
