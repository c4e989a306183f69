// Tables for people: what the machine is like, and what its processors paid.
import type { MachineState, View } from '@retrovisor/core';
import { constantsOf, countsOf } from './counters.js';
import type { MachineDescription } from './machine-description.js';
import type { Topology } from './topology.js';

/** Nodes, distances and latencies. */
export function topologyView(topology: Topology): readonly View[] {
  const { description } = topology;
  const columns = ['from node', ...description.nodes.map((_, to) => `to node ${to}`)];
  const table = (title: string, of: (from: number, to: number) => string | number): View => ({
    title,
    columns,
    rows: description.nodes.map((_, from) => [`${from}`, ...description.nodes.map((__, to) => of(from, to))]),
  });
  return [
    {
      title: description.title ?? description.name,
      columns: ['node', 'processors', 'memory'],
      rows: nodeRows(description),
    },
    table('Distances (SLIT, 10 is local)', (from, to) => topology.distance(from, to)),
    table('Latency of an access, cycles', (from, to) => topology.latencyInCycles(from, to)),
    ...(description.latency.unit === 'ns'
      ? [table('Latency as measured, ns', (from, to) => topology.describedLatency(from, to) ?? '—')]
      : []),
  ];
}

function nodeRows({ nodes }: MachineDescription): View['rows'] {
  return nodes.map(({ processors, memory }, node) => [
    node,
    processors || '—',
    memory.map(shownRange).join(', ') || '—',
  ]);
}

function shownRange({ start, end }: { readonly start: number; readonly end: number }): string {
  return `${hexadecimal(start)}–${hexadecimal(end - 1)}`;
}

const hexadecimal = (value: number): string => `0x${value.toString(16)}`;

/** Accesses and their cost by processor and node; nodes that a processor never asked are left out. */
export function countView(state: MachineState): readonly View[] {
  const nodeOfProcessor = constantsOf(state)?.nodeOfProcessor ?? [];
  const rows = nodeOfProcessor.flatMap((from, processor) =>
    (countsOf(state, processor)?.nodes ?? []).flatMap(({ reads, writes, cycles }, to) =>
      reads + writes === 0 ? [] : [[processor, from, to, from === to ? 'local' : 'remote', reads, writes, cycles]],
    ),
  );
  return [
    {
      title: 'Memory accesses',
      columns: ['processor', 'from node', 'to node', 'kind', 'reads', 'writes', 'cycles'],
      rows,
    },
  ];
}
