// Two Intel Xeon Platinum 8360Y (Ice Lake-SP, 36 cores each), one node for each socket.
import type { MachineDescription } from '../machine-description.js';

const GIB = 2 ** 30;

export const XEON_8360Y: MachineDescription = {
  name: 'xeon-platinum-8360y',
  title: '2x Intel Xeon Platinum 8360Y (Ice Lake-SP, 36 cores each)',
  sources: [
    {
      figures: ['latency', 'processors'],
      title:
        'VSC documentation, memory bandwidth and latency: Intel MLC, idle, random access; source/leuven/tier2_hardware/icelake_mlc.txt',
      url: 'https://github.com/hpcleuven/VscDocumentation',
    },
    { figures: ['clockInMHz'], title: 'Intel ARK: processor base frequency, 2.40 GHz' },
    { figures: ['memory'], title: 'Not published: 128 GiB a node assumed; fitMachine replaces it' },
  ],
  nodes: [
    {
      processors: '0-35',
      memory: [
        { start: 0, end: 3 * GIB },
        { start: 4 * GIB, end: 129 * GIB },
      ],
    },
    { processors: '36-71', memory: [{ start: 129 * GIB, end: 257 * GIB }] },
  ],
  latency: {
    unit: 'ns',
    matrix: [
      [89.2, 142.7],
      [142.9, 89.0],
    ],
  },
  clockInMHz: 2400,
};
