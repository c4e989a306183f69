// What firmware tells of a NUMA machine (ACPI Specification 6.5): which node each processor and each part of RAM belong to
// (SRAT, "System Resource Affinity Table"), and how far the nodes are from each other (SLIT, "System Locality Information
// Table"). Processors and memory that no node has are left out.
import { type AcpiField, type AcpiTable, acpiFields, type MachineDefinition } from '@retrovisor/core';
import { everyPair, type Topology } from './topology.js';

/** Local APIC IDs from 255 on need the structure of the x2APIC. */
const HIGHEST_XAPIC_ID = 254;
const ENABLED = 1;
/** The SRAT begins with a 1 and eight bytes that mean nothing. */
const SRAT_HEAD: readonly AcpiField[] = [[0, 4, 1]];
const SRAT_HEAD_BYTES = 12;

/** SRAT and SLIT of a machine. */
export function acpiTables(topology: Topology, definition: MachineDefinition): readonly AcpiTable[] {
  return [affinityTable(topology, definition), localityTable(topology)];
}

function affinityTable(topology: Topology, { processors, ranges }: MachineDefinition): AcpiTable {
  const entries = [
    acpiFields(SRAT_HEAD_BYTES, SRAT_HEAD),
    ...Array.from({ length: processors }, (_, id) => processorAffinity(id, topology.nodeOfProcessor(id))),
    ...topology.description.nodes.flatMap(({ memory }, node) =>
      memory.flatMap(({ start, end }) =>
        ranges.map((ram) => memoryAffinity(node, Math.max(start, ram.start), Math.min(end, ram.end))),
      ),
    ),
  ];
  return { signature: 'SRAT', revision: 3, body: Uint8Array.from(entries.flatMap((entry) => [...entry])) };
}

function processorAffinity(id: number, node: number | undefined): Uint8Array {
  if (node === undefined) return new Uint8Array(0);
  if (id > HIGHEST_XAPIC_ID) {
    return acpiFields(24, [
      [0, 1, 2],
      [1, 1, 24],
      [4, 4, node],
      [8, 4, id],
      [12, 4, ENABLED],
    ]);
  }
  return acpiFields(16, [
    [0, 1, 0],
    [1, 1, 16],
    [2, 1, node % 256],
    [3, 1, id],
    [4, 4, ENABLED],
    [9, 1, Math.floor(node / 256)],
  ]);
}

function memoryAffinity(node: number, start: number, end: number): Uint8Array {
  if (start >= end) return new Uint8Array(0);
  return acpiFields(40, [
    [0, 1, 1],
    [1, 1, 40],
    [2, 4, node],
    [8, 8, start],
    [16, 8, end - start],
    [28, 4, ENABLED],
  ]);
}

function localityTable(topology: Topology): AcpiTable {
  const { nodes } = topology;
  const distances = everyPair(nodes, (from, to) => topology.distance(from, to)).flat();
  const body = new Uint8Array(8 + distances.length);
  body.set(acpiFields(8, [[0, 8, nodes]]));
  body.set(distances, 8);
  return { signature: 'SLIT', revision: 1, body };
}
