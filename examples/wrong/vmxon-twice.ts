// VMXON in VMX root operation is VMfail; because a VMCS is current, it is VMfailValid, with the number 15 in the VMCS.
import { vmFailValid } from '@retrovisor/vmx';
import { STEPS, type WalkMachine, walk } from '../walk/walk.js';

export { machine } from '../walk/walk.js';

export const expected = vmFailValid(15, { rule: 'vmx.vmxon.root-vmfail' });

export default (machine: WalkMachine) => walk(machine, { giveUpVmcs: STEPS.enterVmxOperation });
