// The VMXON region begins in the middle of a page: VMXON is VMfailInvalid.
import { vmFailInvalid } from '@retrovisor/vmx';
import { VMXON_REGION, type WalkMachine, walk } from '../walk/walk.js';

export { machine } from '../walk/walk.js';

export const expected = vmFailInvalid({ rule: 'vmx.vmxon.align' });

export default (machine: WalkMachine) => walk(machine, { vmxonRegion: VMXON_REGION + 0x800n });
