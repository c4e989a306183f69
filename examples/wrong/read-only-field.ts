// The exit reason is for VM exits to write: VMWRITE of it is VMfailValid(13) on a processor whose IA32_VMX_MISC bit 29 is
// 0. Current servers have the bit, so it is cleared here, as a debugger would: this plays an older processor.
import { fieldNamed, vmFailValid } from '@retrovisor/vmx';
import { STEPS, type WalkMachine, walk } from '../walk/walk.js';

export { machine } from '../walk/walk.js';

export const expected = vmFailValid(13, { rule: 'vmx.vmwrite.read-only' });

const VMWRITE_TO_ANY_FIELD = 1n << 29n;

export default (machine: WalkMachine) =>
  walk(machine, {
    enableInFeatureControl(place) {
      place.cpu.set('IA32_VMX_MISC', place.cpu.read('IA32_VMX_MISC') & ~VMWRITE_TO_ANY_FIELD);
      return STEPS.enableInFeatureControl(place);
    },
    writeField: ({ cpu }) => cpu.vmwrite(fieldNamed('Exit reason').encoding, 0n),
  });
