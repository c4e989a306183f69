// Two Intel Xeon Platinum 8269CY (Cascade Lake-SP, 26 cores each) with sub-NUMA clustering: two nodes for each socket.
import type { MachineDescription } from '../machine-description.js';

const GIB = 2 ** 30;

export const XEON_8269CY: MachineDescription = {
  name: 'xeon-platinum-8269cy',
  title: '2x Intel Xeon Platinum 8269CY (Cascade Lake-SP, 26 cores each), sub-NUMA clustering',
  sources: [
    {
      figures: ['latency', 'distances', 'clockInMHz'],
      title: 'plantegg notes, CPU and memory, NUMA: Intel MLC, idle; numactl -H; the host runs at a fixed 2.5 GHz',
      url: 'https://plantegg.github.io',
    },
    {
      figures: ['processors'],
      title: 'The same notes have 26 cores of two threads a socket; their numbering is assumed',
    },
    { figures: ['memory'], title: 'Not published: 64 GiB a node assumed; fitMachine replaces it' },
  ],
  nodes: [
    {
      processors: '0-25',
      memory: [
        { start: 0, end: 3 * GIB },
        { start: 4 * GIB, end: 65 * GIB },
      ],
    },
    { processors: '26-51', memory: [{ start: 65 * GIB, end: 129 * GIB }] },
    { processors: '52-77', memory: [{ start: 129 * GIB, end: 193 * GIB }] },
    { processors: '78-103', memory: [{ start: 193 * GIB, end: 257 * GIB }] },
  ],
  distances: [
    [10, 11, 21, 21],
    [11, 10, 21, 21],
    [21, 21, 10, 11],
    [21, 21, 11, 10],
  ],
  latency: {
    unit: 'ns',
    matrix: [
      [77.3, 81.6, 129.8, 136.1],
      [82.1, 78.1, 134.1, 137.6],
      [129.8, 135.8, 73.5, 81.7],
      [134.4, 137.7, 81.7, 78.5],
    ],
  },
  clockInMHz: 2500,
};
