// One access to cycles, with the reason. The model of this part: every access goes to memory and nothing competes for
// it, so that an access costs the idle latency between two nodes. Caches, coherence and contention are not modelled.
import type { Topology } from './topology.js';

/** What one access costs and why. */
export interface AccessCost {
  readonly cycles: number;
  /** Whether the memory belongs to the processor's own node. */
  readonly kind: 'local' | 'remote';
  /** The node of the processor. */
  readonly from: number;
  /** The node of the memory. */
  readonly to: number;
  /** From the SLIT: 10 is local. */
  readonly distance: number;
}

/**
 * The cost of one access by a logical processor to a physical address; undefined for an address that no node has (a
 * device, or a hole: what these cost is not described) and for a processor that the description does not have.
 *
 * @example accessCost(topology, 0, 0x1000)?.kind // 'local'
 */
export function accessCost(topology: Topology, processor: number, address: number): AccessCost | undefined {
  const from = topology.nodeOfProcessor(processor);
  const to = topology.nodeOfAddress(address);
  if (from === undefined || to === undefined) return undefined;
  return {
    cycles: topology.latencyInCycles(from, to),
    kind: from === to ? 'local' : 'remote',
    from,
    to,
    distance: topology.distance(from, to),
  };
}
