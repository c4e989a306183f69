// The machine as the counters ask it: which node an address and a processor belong to, how far nodes are from each other,
// what an access costs. Made once from a description; everything asked on each access is a table look-up.
import type { MachineDescription, MemoryRange } from './machine-description.js';
import { parseMachineDescription } from './parse-description.js';
import { processorsOf } from './processor-list.js';

const LOCAL_DISTANCE = 10;
/** What Linux assumes between two nodes where firmware has no SLIT. */
const REMOTE_DISTANCE = 20;

interface NodeRange extends MemoryRange {
  readonly node: number;
}

/** A machine description, resolved. */
export class Topology {
  readonly description: MachineDescription;
  readonly nodes: number;
  readonly #nodeOfProcessor = new Map<number, number>();
  /** In ascending order of address, without overlap. */
  readonly #ranges: readonly NodeRange[];
  readonly #cycles: readonly (readonly number[])[];

  /** @throws UsageError `BAD_MACHINE_DESCRIPTION` */
  constructor(description: MachineDescription) {
    this.description = parseMachineDescription(description);
    this.nodes = this.description.nodes.length;
    for (const [node, { processors }] of this.description.nodes.entries()) {
      for (const processor of processorsOf(processors)) this.#nodeOfProcessor.set(processor, node);
    }
    this.#ranges = this.description.nodes
      .flatMap(({ memory }, node) => memory.map((range) => ({ ...range, node })))
      .toSorted((one, other) => one.start - other.start);
    this.#cycles = everyPair(this.nodes, (from, to) => this.#wholeCycles(from, to));
  }

  /** The node of a logical processor, or undefined for one that the description does not have. */
  nodeOfProcessor(processor: number): number | undefined {
    return this.#nodeOfProcessor.get(processor);
  }

  /** The node of a physical address, or undefined where no node has memory: a device answers there, or nobody. */
  nodeOfAddress(address: number): number | undefined {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ranges[middle]?.end ?? 0) <= address) low = middle + 1;
      else high = middle;
    }
    const range = this.#ranges[low];
    return range !== undefined && address >= range.start ? range.node : undefined;
  }

  /** The entry of the SLIT: 10 is local. */
  distance(from: number, to: number): number {
    return this.description.distances?.[from]?.[to] ?? (from === to ? LOCAL_DISTANCE : REMOTE_DISTANCE);
  }

  /** The latency as described, in the description's unit; undefined where no access can happen. */
  describedLatency(from: number, to: number): number | undefined {
    const { latency } = this.description;
    if ('matrix' in latency) return latency.matrix[from]?.[to] ?? undefined;
    return from === to ? latency.local : latency.remote;
  }

  /** One access in whole cycles. Rounded here, once, so that a sum of accesses is exact. */
  latencyInCycles(from: number, to: number): number {
    return this.#cycles[from]?.[to] ?? 0;
  }

  /** The row of a node: what its processors pay for memory of each node. */
  latenciesInCycles(from: number): readonly number[] {
    return this.#cycles[from] ?? [];
  }

  #wholeCycles(from: number, to: number): number {
    const described = this.describedLatency(from, to) ?? 0;
    const { latency, clockInMHz = 0 } = this.description;
    return Math.round(latency.unit === 'cycles' ? described : (described * clockInMHz) / 1000);
  }
}

/** A square table of something for each pair of nodes: a row for each `from`. */
export function everyPair<Value>(
  nodes: number,
  of: (from: number, to: number) => Value,
): readonly (readonly Value[])[] {
  return Array.from({ length: nodes }, (_, from) => Array.from({ length: nodes }, (_, to) => of(from, to)));
}
