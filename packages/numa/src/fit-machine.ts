// From a real machine to one of the size at hand: the same nodes, distances and latencies, fewer processors and bytes.
import { type MachineDefinition, type PhysicalRange, ramRanges, UsageError } from '@retrovisor/core';
import type { MachineDescription, MemoryRange, NodeDescription } from './machine-description.js';
import { listOfRun } from './processor-list.js';
import type { Topology } from './topology.js';

const PAGE_BYTES = 4096;

/** The size of a machine, as createMachine takes it. */
export interface MachineSize {
  /** Logical processors. */
  readonly processors: number;
  /** Bytes of RAM, a multiple of 4096. */
  readonly memoryBytes: number;
}

/**
 * The description with so many processors and so much RAM. Nodes that had processors share the new ones in runs of equal
 * length (the first nodes get one more where they do not divide), nodes that had memory share the pages in the same way,
 * in ascending order of address: processor 0 and address 0 are always of the first such node. With fewer processors than
 * nodes they are spread, so that two processors of a machine of two sockets are on different ones.
 *
 * @throws UsageError `BAD_MACHINE_SIZE`
 * @example fitMachine(XEON_8360Y, { processors: 2, memoryBytes: 64 * 2 ** 20 }).nodes[1]?.memory[0]?.start // 2 ** 25
 */
export function fitMachine(machine: MachineDescription, { processors, memoryBytes }: MachineSize): MachineDescription {
  checkCount('processors', processors, 1);
  checkCount('memoryBytes', memoryBytes, PAGE_BYTES);
  const askers = machine.nodes.map((node) => node.processors !== '');
  const owners = machine.nodes.map((node) => node.memory.length > 0);
  const processorRuns = runsOf(processors, askers);
  const pageRuns = runsOf(memoryBytes / PAGE_BYTES, owners);
  const nodes = machine.nodes.map((_, node): NodeDescription => {
    const run = processorRuns[node];
    return {
      processors: run === undefined ? '' : listOfRun(run.first, run.count),
      memory: rangesOfRun(pageRuns[node], memoryBytes),
    };
  });
  return { ...machine, nodes };
}

function checkCount(name: string, value: number, unit: number): void {
  if (Number.isSafeInteger(value) && value > 0 && value % unit === 0) return;
  const accepted = unit === 1 ? 'a whole number over 0' : `a multiple of ${unit} over 0`;
  throw new UsageError('BAD_MACHINE_SIZE', { [name]: value, accepted }, `${name} is ${value}: ${accepted} is accepted`);
}

interface Run {
  readonly first: number;
  readonly count: number;
}

/** Run k of n starts where k/n of all lie before it: lengths differ by one at most, and few are spread over many. */
function runsOf(total: number, takes: readonly boolean[]): readonly (Run | undefined)[] {
  const takers = takes.filter(Boolean).length;
  const startOf = (share: number) => Math.ceil((share * total) / takers);
  let share = 0;
  return takes.map((taking) => {
    if (!taking) return undefined;
    const first = startOf(share);
    share += 1;
    return { first, count: startOf(share) - first };
  });
}

/** The addresses of a run of RAM pages: RAM has a hole below 4 GiB, so that a run may be two ranges. */
function rangesOfRun(run: Run | undefined, memoryBytes: number): readonly MemoryRange[] {
  if (run === undefined || run.count === 0) return [];
  let before = 0;
  return ramRanges(memoryBytes).flatMap((range) => {
    const start = Math.max(range.start, range.start + run.first * PAGE_BYTES - before);
    const end = Math.min(range.end, range.start + (run.first + run.count) * PAGE_BYTES - before);
    before += range.end - range.start;
    return start < end ? [{ start, end }] : [];
  });
}

/**
 * Refuses a description that leaves a processor or a byte of RAM of the machine without a node. More than the machine
 * has may be described.
 */
export function checkFit(
  topology: Topology,
  { processors, ranges }: Pick<MachineDefinition, 'processors' | 'ranges'>,
): void {
  const processor = Array.from({ length: processors }, (_, id) => id).find(
    (id) => topology.nodeOfProcessor(id) === undefined,
  );
  if (processor !== undefined) refuse(topology, { processor }, `has no node for processor ${processor}`);
  const address = firstWithoutNode(topology, ranges);
  if (address !== undefined)
    refuse(topology, { address }, `has no node for the RAM at physical address 0x${address.toString(16)}`);
}

function refuse(topology: Topology, facts: Readonly<Record<string, number>>, what: string): never {
  const { name } = topology.description;
  throw new UsageError(
    'MACHINE_DOES_NOT_FIT',
    { machine: name, ...facts },
    `the machine description ${name} ${what}: fitMachine makes one that has`,
  );
}

function firstWithoutNode({ description }: Topology, ranges: readonly PhysicalRange[]): number | undefined {
  const described = description.nodes.flatMap(({ memory }) => memory).toSorted((one, other) => one.start - other.start);
  for (const { start, end } of ranges) {
    let at = start;
    for (const range of described) if (range.start <= at && at < range.end) at = range.end;
    if (at < end) return at;
  }
  return undefined;
}
