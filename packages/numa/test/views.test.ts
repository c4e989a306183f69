import { createMachine, longMode } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { fitMachine, numa, Topology, XEON_8360Y } from '../src/index.js';
import { countView, topologyView } from '../src/views.js';

const description = fitMachine(XEON_8360Y, { processors: 2, memoryBytes: 64 * 2 ** 20 });

describe('the view topology', () => {
  const views = topologyView(new Topology(description));

  it('has the nodes', () => {
    expect(views[0]?.rows).toEqual([
      [0, '0', '0x0–0x1ffffff'],
      [1, '1', '0x2000000–0x3ffffff'],
    ]);
  });

  it('has distances, and latencies in cycles and as measured', () => {
    expect(views.slice(1).map(({ title, rows }) => [title, rows])).toEqual([
      [
        'Distances (SLIT, 10 is local)',
        [
          ['0', 10, 20],
          ['1', 20, 10],
        ],
      ],
      [
        'Latency of an access, cycles',
        [
          ['0', 214, 342],
          ['1', 343, 214],
        ],
      ],
      [
        'Latency as measured, ns',
        [
          ['0', 89.2, 142.7],
          ['1', 142.9, 89],
        ],
      ],
    ]);
  });
});

describe('the view numa', () => {
  it('has a row for each processor and node with accesses', () => {
    const machine = createMachine({
      profile: 'intel-server',
      processors: 2,
      plugins: [numa(description)],
      boot: longMode(),
    });
    expect(countView(machine.state)[0]?.rows).toEqual([]);
    machine.writeMemory(0x10_0000, Uint8Array.of(0x48, 0x8b, 0x03)); // MOV RAX, [RBX]
    machine.processor(0).set('RIP', 0x10_0000n);
    machine.processor(0).set('RBX', 0x300_0000n);
    machine.processor(0).step();
    expect(countView(machine.state)[0]?.rows).toEqual([[0, 0, 1, 'remote', 1, 0, 342]]);
  });
});
