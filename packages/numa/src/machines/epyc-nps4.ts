// One AMD EPYC in NPS4: four nodes in a single socket. Its authors name neither model nor clock; the latencies are theirs.
import type { MachineDescription } from '../machine-description.js';

const GIB = 2 ** 30;

export const EPYC_NPS4: MachineDescription = {
  name: 'epyc-nps4',
  title: '1x AMD EPYC, four nodes per socket (NPS4)',
  sources: [
    {
      figures: ['latency'],
      title: 'DRAMHiT notes, NPS1 against NPS4: Intel MLC 3.11b, idle, random access, large pages',
    },
    { figures: ['clockInMHz'], title: 'Not published: 2.40 GHz assumed; the nanoseconds are what was measured' },
    {
      figures: ['processors', 'memory'],
      title: 'Not published: 8 processors and 32 GiB a node assumed; fitMachine replaces them',
    },
  ],
  nodes: [
    {
      processors: '0-7',
      memory: [
        { start: 0, end: 3 * GIB },
        { start: 4 * GIB, end: 33 * GIB },
      ],
    },
    { processors: '8-15', memory: [{ start: 33 * GIB, end: 65 * GIB }] },
    { processors: '16-23', memory: [{ start: 65 * GIB, end: 97 * GIB }] },
    { processors: '24-31', memory: [{ start: 97 * GIB, end: 129 * GIB }] },
  ],
  latency: {
    unit: 'ns',
    matrix: [
      [105.6, 113.1, 118.6, 117.7],
      [113.9, 105.0, 117.8, 117.5],
      [116.0, 115.8, 104.6, 112.9],
      [118.4, 118.0, 114.7, 106.5],
    ],
  },
  clockInMHz: 2400,
};
