// VMXON gave VMX operation to processor 0 alone: VMXOFF on processor 1 is #UD.
import { fault } from '@retrovisor/core';
import { type WalkMachine, walk } from '../walk/walk.js';

export { machine } from '../walk/walk.js';

export const expected = fault('#UD', { rule: 'vmx.vmxoff.not-in-vmx' });

export default (machine: WalkMachine) => walk(machine, { leaveVmxOperation: () => machine.processor(1).vmxoff() });
