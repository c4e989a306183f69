// Four AMD Opteron packages of two dies each: 48 cores on 8 nodes. Measured in cycles, so that no clock is needed.
import type { MachineDescription } from '../machine-description.js';

const GIB = 2 ** 30;
const NODES = 8;
const CORES_PER_NODE = 6;
const GIB_PER_NODE = 16;

export const OPTERON_8N: MachineDescription = {
  name: 'opteron-8n',
  title: '4x AMD Opteron, 48 cores on 8 nodes',
  sources: [
    {
      figures: ['latency'],
      title:
        'MCTOP machine descriptions (EuroSys 2017), desc/lpd48core.mct: medians of the hardware contexts of a node',
      url: 'https://github.com/LPD-EPFL/mctop',
    },
    { figures: ['processors'], title: 'The same file has 48 contexts on 8 nodes; their numbering is assumed' },
    { figures: ['memory'], title: 'Not published: 16 GiB a node assumed; fitMachine replaces it' },
  ],
  nodes: Array.from({ length: NODES }, (_, node) => ({
    processors: `${node * CORES_PER_NODE}-${(node + 1) * CORES_PER_NODE - 1}`,
    memory: memoryOf(node),
  })),
  latency: {
    unit: 'cycles',
    matrix: [
      [142, 247, 262, 343, 260, 343, 267, 346.5],
      [248, 140, 341, 262, 342, 261.5, 346, 265],
      [262, 341, 140, 247, 259, 337, 258, 342],
      [343, 261, 246, 140, 340, 257, 341, 264],
      [259, 339, 257, 340, 141, 246, 260, 340],
      [341, 260, 336, 257, 247, 140, 341, 261],
      [267, 345, 256, 341, 261, 341.5, 141, 247],
      [348, 264, 341, 265, 342, 261, 247, 143],
    ],
  },
};

/** Contiguous, but for the hole of devices below 4 GiB. */
function memoryOf(node: number): MachineDescription['nodes'][number]['memory'] {
  const start = node * GIB_PER_NODE + 1;
  const end = start + GIB_PER_NODE;
  if (node > 0) return [{ start: start * GIB, end: end * GIB }];
  return [
    { start: 0, end: 3 * GIB },
    { start: 4 * GIB, end: end * GIB },
  ];
}
