// CR0.NE is one of the bits that IA32_VMX_CR0_FIXED0 demands, and it is cleared before VMXON: #GP(0).
import { CR0, fault } from '@retrovisor/core';
import { handedBack, STEPS, type WalkMachine, walk } from '../walk/walk.js';

export { machine } from '../walk/walk.js';

export const expected = fault('#GP', { errorCode: 0, rule: 'vmx.vmxon.cr0-fixed' });

export default (machine: WalkMachine) =>
  walk(machine, {
    enableVmx(place) {
      const cr0 = handedBack(place.cpu.movFromCr0());
      place.cpu.movToCr0(cr0 & ~(1n << BigInt(CR0.bits.NE)));
      return STEPS.enableVmx(place);
    },
  });
