// The machines against the publications that their figures come from, copied here as data.
import { describe, expect, it } from 'vitest';
import {
  accessCost,
  findMachine,
  MACHINES,
  type MachineDescription,
  parseMachineDescription,
  Topology,
} from '../../src/index.js';
import { processorsOf } from '../../src/processor-list.js';
import epycNps4 from './epyc-nps4.json' with { type: 'json' };
import opteron from './opteron-8n.json' with { type: 'json' };
import xeon8269cy from './xeon-platinum-8269cy.json' with { type: 'json' };
import xeon8360y from './xeon-platinum-8360y.json' with { type: 'json' };

interface Table {
  readonly kind: string;
  readonly matrix?: readonly (readonly number[])[];
}
interface Published {
  readonly topology: {
    readonly sockets?: number;
    readonly nodes?: number;
    readonly coresPerSocket?: number;
    readonly threadsPerCore?: number;
    readonly logicalCpus?: number;
  };
  readonly tables: readonly unknown[];
}
const PUBLISHED: Readonly<Record<string, Published>> = {
  'epyc-nps4': epycNps4,
  'opteron-8n': opteron,
  'xeon-platinum-8269cy': xeon8269cy,
  'xeon-platinum-8360y': xeon8360y,
};

const tablesOf = (published: Published | undefined) => (published?.tables ?? []) as readonly Table[];
const matrixOf = (published: Published | undefined, kinds: readonly string[], nodes: number) =>
  tablesOf(published).find(({ kind, matrix }) => kinds.includes(kind) && matrix?.length === nodes)?.matrix;

const pairs = (machine: MachineDescription) =>
  machine.nodes.flatMap((_, from) => machine.nodes.map((__, to) => [from, to] as const));
const firstProcessor = ({ nodes }: MachineDescription, node: number) =>
  processorsOf(nodes[node]?.processors ?? '')[0] ?? -1;

describe.each(MACHINES)('$name', (machine) => {
  const published = PUBLISHED[machine.name];
  const topology = new Topology(machine);
  const latencies = matrixOf(published, ['mlc-latency-ns', 'memory-latency-cycles'], topology.nodes);

  it('is a good description', () => {
    expect(parseMachineDescription(machine)).toEqual(machine);
  });

  it('has the published latency for each pair of nodes, exactly', () => {
    for (const [from, to] of pairs(machine)) expect(topology.describedLatency(from, to)).toBe(latencies?.[from]?.[to]);
  });

  it('prices an access at that latency, in whole cycles', () => {
    const perUnit = machine.latency.unit === 'ns' ? (machine.clockInMHz ?? 0) / 1000 : 1;
    for (const [from, to] of pairs(machine)) {
      const cost = accessCost(topology, firstProcessor(machine, from), machine.nodes[to]?.memory[0]?.start ?? -1);
      expect(cost?.cycles).toBe(Math.round((latencies?.[from]?.[to] ?? 0) * perUnit));
    }
  });

  it('has the published distances, if there are any', () => {
    expect(machine.distances).toEqual(matrixOf(published, ['acpi-slit'], topology.nodes));
  });

  it('has the published number of processors, if there is one', () => {
    const count = machine.nodes.flatMap(({ processors }) => processorsOf(processors)).length;
    const {
      sockets = 0,
      coresPerSocket = 0,
      threadsPerCore = 1,
      logicalCpus = sockets * coresPerSocket * threadsPerCore,
    } = published?.topology ?? {};
    if (logicalCpus > 0) expect(count).toBe(logicalCpus);
  });

  it('says where every figure comes from', () => {
    const figures = [
      'latency',
      'processors',
      'memory',
      ...(machine.distances ? ['distances'] : []),
      ...(machine.clockInMHz ? ['clockInMHz'] : []),
    ];
    expect(new Set(machine.sources?.flatMap((source) => source.figures))).toEqual(new Set(figures));
  });

  it('is found by its name', () => {
    expect(findMachine(machine.name)).toBe(machine);
  });
});

describe('findMachine', () => {
  it('names the machines that there are', () => {
    expect(() => findMachine('cray-1')).toThrow(/"cray-1"; there are xeon-platinum-8360y, /);
  });
});
