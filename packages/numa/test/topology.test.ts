import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accessCost, type MachineDescription, Topology } from '../src/index.js';
import { processorsOf } from '../src/processor-list.js';
import { randomDescription } from './support/random-description.js';

const PAGE = 4096;
const highestEnd = ({ nodes }: MachineDescription) =>
  Math.max(0, ...nodes.flatMap(({ memory }) => memory.map(({ end }) => end)));

describe('a topology', () => {
  it('gives every address the one node whose range has it', () => {
    fc.assert(
      fc.property(randomDescription, (description) => {
        const topology = new Topology(description);
        for (let address = 0; address < highestEnd(description) + 2 * PAGE; address += PAGE / 2) {
          const owners = description.nodes.flatMap(({ memory }, node) =>
            memory.some(({ start, end }) => address >= start && address < end) ? [node] : [],
          );
          expect(owners.length).toBeLessThanOrEqual(1);
          expect(topology.nodeOfAddress(address)).toBe(owners[0]);
        }
      }),
    );
  });

  it('gives every described processor its node, and others none', () => {
    fc.assert(
      fc.property(randomDescription, (description) => {
        const topology = new Topology(description);
        for (const [node, { processors }] of description.nodes.entries()) {
          for (const processor of processorsOf(processors)) expect(topology.nodeOfProcessor(processor)).toBe(node);
        }
        expect(topology.nodeOfProcessor(9999)).toBeUndefined();
      }),
    );
  });

  it('has the distances of the SLIT: 10 to itself, symmetric where declared so', () => {
    fc.assert(
      fc.property(randomDescription, ({ distances = [], ...description }) => {
        const topology = new Topology({ ...description, distances });
        for (let from = 0; from < topology.nodes; from += 1) {
          expect(topology.distance(from, from)).toBe(10);
          for (let to = 0; to < topology.nodes; to += 1) {
            expect(topology.distance(from, to)).toBe(distances[from]?.[to]);
            expect(topology.distance(from, to) === topology.distance(to, from)).toBe(
              distances[from]?.[to] === distances[to]?.[from],
            );
          }
        }
      }),
    );
  });

  it('has distances of 10 and 20 without a SLIT', () => {
    const nodes = [
      { processors: '0', memory: [] },
      { processors: '', memory: [{ start: 0, end: PAGE }] },
    ];
    const topology = new Topology({ name: 'bare', nodes, latency: { unit: 'cycles', local: 1, remote: 2 } });
    expect([topology.distance(0, 0), topology.distance(0, 1)]).toEqual([10, 20]);
  });
});

describe('the cost of an access', () => {
  const nodes = [
    { processors: '0', memory: [{ start: 0, end: PAGE }] },
    { processors: '1', memory: [{ start: PAGE, end: 2 * PAGE }] },
  ];

  it('is local or remote, with the reason', () => {
    const topology = new Topology({
      name: 'two',
      nodes,
      distances: [
        [10, 21],
        [21, 10],
      ],
      latency: { unit: 'ns', local: 80.2, remote: 130.3 },
      clockInMHz: 2500,
    });
    expect(accessCost(topology, 0, PAGE - 1)).toEqual({ cycles: 201, kind: 'local', from: 0, to: 0, distance: 10 }); // 200.5
    expect(accessCost(topology, 0, PAGE)).toEqual({ cycles: 326, kind: 'remote', from: 0, to: 1, distance: 21 }); // 325.75
    expect(accessCost(topology, 1, PAGE)).toMatchObject({ kind: 'local', from: 1, to: 1 });
  });

  it('is not known where no node has memory, and for a processor that is not described', () => {
    const topology = new Topology({ name: 'two', nodes, latency: { unit: 'cycles', local: 1, remote: 2 } });
    expect(accessCost(topology, 0, 2 * PAGE)).toBeUndefined();
    expect(accessCost(topology, 2, 0)).toBeUndefined();
  });

  it('follows from the nodes alone', () => {
    fc.assert(
      fc.property(randomDescription, fc.nat(30), fc.nat(100), (description, processor, page) => {
        const topology = new Topology(description);
        const cost = accessCost(topology, processor, page * PAGE);
        const [from, to] = [topology.nodeOfProcessor(processor), topology.nodeOfAddress(page * PAGE)];
        const known = from !== undefined && to !== undefined;
        const latency = known && 'matrix' in description.latency ? description.latency.matrix[from]?.[to] : undefined;
        const expected = {
          cycles: latency,
          kind: from === to ? 'local' : 'remote',
          from,
          to,
          distance: known ? topology.distance(from, to) : 0,
        };
        expect(cost).toEqual(known ? expected : undefined);
      }),
    );
  });
});
