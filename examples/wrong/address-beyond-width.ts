// The address is aligned but has a bit above the 46 bits of this processor's physical addresses: VMXON is VMfailInvalid.
import { vmFailInvalid } from '@retrovisor/vmx';
import { VMXON_REGION, type WalkMachine, walk } from '../walk/walk.js';

export { machine } from '../walk/walk.js';

export const expected = vmFailInvalid({ rule: 'vmx.vmxon.width' });

export default (machine: WalkMachine) =>
  walk(machine, { enterVmxOperation: ({ cpu }) => cpu.vmxon((1n << 46n) | VMXON_REGION) });
