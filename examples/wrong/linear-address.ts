// Paging maps the linear address 0x180_0000 to the VMXON region. VMXON is given the linear address, takes it for a physical
// one, and finds there no revision identifier: VMfailInvalid. Where the two are equal the mistake stays hidden.
import { vmFailInvalid } from '@retrovisor/vmx';
import { STEPS, VMXON_REGION, type WalkMachine, walk } from '../walk/walk.js';

export { machine } from '../walk/walk.js';

export const expected = vmFailInvalid({ rule: 'vmx.vmxon.revision' });

const LINEAR = 0x180_0000n;
/** The boot page tables' page directory for the first GiB: an entry of 8 bytes maps 2 MiB. */
const PAGE_DIRECTORY = 0x3000n;
/** Present, writable, user, 2-MByte page. */
const LARGE_PAGE = 0x87n;

export default (machine: WalkMachine) =>
  walk(machine, {
    prepareVmxonRegion(place) {
      const entry = new Uint8Array(BigUint64Array.of(VMXON_REGION | LARGE_PAGE).buffer);
      machine.writeMemory(PAGE_DIRECTORY + (LINEAR >> 21n) * 8n, entry);
      place.cpu.movToCr3(0x1000n); // the same page tables: only what was cached of them goes
      return STEPS.prepareVmxonRegion(place);
    },
    enterVmxOperation: ({ cpu }) => cpu.vmxon(LINEAR),
  });
