// Both regions lie in memory of node 1, processor 0 belongs to node 0: everything works. It is slower, not wrong, and the
// counters of the NUMA plugin say by how much.
import { costOf } from '@retrovisor/numa';
import { vmSucceed } from '@retrovisor/vmx';
import { type WalkMachine, walk } from '../walk/walk.js';

export { machine } from '../walk/walk.js';

export const expected = vmSucceed();

const NODE_1 = 0x200_0000n;

export default function remoteRegions(machine: WalkMachine) {
  const before = machine.state;
  const outcome = walk(machine, { vmxonRegion: NODE_1, vmcsRegion: NODE_1 + 0x1000n });
  console.log(costOf(before, machine.state).explanation);
  return outcome;
}
