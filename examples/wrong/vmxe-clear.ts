// CR4.VMXE is set, and lost again: the next write of CR4 starts from a copy that is older. VMXON is #UD.
import { CR4, fault } from '@retrovisor/core';
import { handedBack, STEPS, type WalkMachine, walk } from '../walk/walk.js';

export { machine } from '../walk/walk.js';

export const expected = fault('#UD', { rule: 'vmx.vmxon.cr4-vmxe' });

export default (machine: WalkMachine) =>
  walk(machine, {
    enableVmx(place) {
      const stale = handedBack(place.cpu.movFromCr4());
      STEPS.enableVmx(place);
      return place.cpu.movToCr4(stale | (1n << BigInt(CR4.bits.PGE)));
    },
  });
