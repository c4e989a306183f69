// The region was zeroed, but the revision identifier was not written: VMXON is VMfailInvalid.
import { vmFailInvalid } from '@retrovisor/vmx';
import { type WalkMachine, walk, writeRegion } from '../walk/walk.js';

export { machine } from '../walk/walk.js';

export const expected = vmFailInvalid({ rule: 'vmx.vmxon.revision' });

export default (machine: WalkMachine) =>
  walk(machine, { prepareVmxonRegion: (place) => writeRegion(place, place.vmxonRegion, 0n) });
