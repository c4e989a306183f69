// The VMXON region is used as a VMCS too. VMCLEAR with the VMXON pointer is VMfail; no VMCS is current to take the number
// 3, so it is VMfailInvalid.
import { vmFailInvalid } from '@retrovisor/vmx';
import { VMXON_REGION, type WalkMachine, walk } from '../walk/walk.js';

export { machine } from '../walk/walk.js';

export const expected = vmFailInvalid({ rule: 'vmx.vmclear.vmxon-pointer' });

export default (machine: WalkMachine) => walk(machine, { vmcsRegion: VMXON_REGION });
