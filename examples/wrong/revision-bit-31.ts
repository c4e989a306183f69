// Bit 31 beside the revision identifier marks a shadow VMCS, which a VMXON region cannot be: VMXON is VMfailInvalid.
import { vmFailInvalid } from '@retrovisor/vmx';
import { revisionIdentifier, type WalkMachine, walk, writeRegion } from '../walk/walk.js';

export { machine } from '../walk/walk.js';

export const expected = vmFailInvalid({ rule: 'vmx.vmxon.revision-bit31' });

const SHADOW_VMCS_INDICATOR = 0x8000_0000n;

export default (machine: WalkMachine) =>
  walk(machine, {
    prepareVmxonRegion: (place) =>
      writeRegion(place, place.vmxonRegion, revisionIdentifier(place) | SHADOW_VMCS_INDICATOR),
  });
