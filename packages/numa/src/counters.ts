// What each processor paid for its accesses, counted in its slice: reads, writes and cycles for each node that answered.
// The machine-wide slice holds the constants behind the counts, so that two states explain themselves without their
// description.
import {
  type AccessBatch,
  type Cpu,
  defineSlice,
  type MachineDefinition,
  type MachineState,
  type Slice,
} from '@retrovisor/core';
import { checkFit } from './fit-machine.js';
import { everyPair, type Topology } from './topology.js';

const PLUGIN = 'numa';

/** Accesses of one processor to memory of one node. */
export interface NodeCounts {
  readonly reads: number;
  readonly writes: number;
  readonly cycles: number;
}

/** The slice of one processor: counts for each node. */
export interface ProcessorCounts {
  readonly nodes: readonly NodeCounts[];
}

/** The machine-wide slice: constants. */
export interface MachineConstants {
  /** For each processor of the machine. */
  readonly nodeOfProcessor: readonly number[];
  /** What one access costs: a row for each node that asks, a column for each that answers. */
  readonly cyclesPerAccess: readonly (readonly number[])[];
}

const COUNTS = defineSlice<ProcessorCounts>(PLUGIN, { version: 1, initial: () => ({ nodes: [] }) });

/** The processor slice for machines with this topology. */
export function countersSlice(topology: Topology): Slice<ProcessorCounts> {
  const none: NodeCounts = { reads: 0, writes: 0, cycles: 0 };
  const initial = () => ({ nodes: Array.from({ length: topology.nodes }, () => none) });
  return { ...COUNTS, initial };
}

/** The machine-wide slice; made when a machine is made, so that a description that does not fit is refused there. */
export function constantsSlice(topology: Topology): Slice<MachineConstants> {
  return defineSlice<MachineConstants>(PLUGIN, {
    version: 1,
    initial: (definition: MachineDefinition) => {
      checkFit(topology, definition);
      return {
        nodeOfProcessor: Array.from({ length: definition.processors }, (_, id) => topology.nodeOfProcessor(id) ?? 0),
        cyclesPerAccess: everyPair(topology.nodes, (from, to) => topology.latencyInCycles(from, to)),
      };
    },
  });
}

/**
 * Counts accesses of a processor, with one change of its slice. What no node has, a device or a hole, is not counted: its
 * cost is not described.
 */
export function countAccesses(topology: Topology, cpu: Cpu, accesses: AccessBatch): void {
  const from = topology.nodeOfProcessor(cpu.id);
  if (from === undefined) return;
  const reads = new Uint32Array(topology.nodes);
  const writes = new Uint32Array(topology.nodes);
  for (let index = 0; index < accesses.length; index++) {
    const to = topology.nodeOfAddress(accesses.physical(index));
    if (to === undefined) continue;
    const counts = accesses.isWrite(index) ? writes : reads;
    counts[to] = (counts[to] ?? 0) + 1;
  }
  COUNTS.change(cpu, ({ nodes }) => {
    for (const [to, counts] of nodes.entries()) {
      const [read, written] = [reads[to] ?? 0, writes[to] ?? 0];
      if (read + written === 0) continue;
      counts.reads += read;
      counts.writes += written;
      counts.cycles += (read + written) * topology.latencyInCycles(from, to);
    }
  });
}

/** The counts of one processor in a state; undefined for a machine without this plugin. */
export function countsOf(state: MachineState, processor: number): ProcessorCounts | undefined {
  return state.processors[processor]?.plugins[PLUGIN] as ProcessorCounts | undefined;
}

/** The constants of a state's machine; undefined for a machine without this plugin. */
export function constantsOf(state: MachineState): MachineConstants | undefined {
  return state.plugins[PLUGIN] as MachineConstants | undefined;
}
