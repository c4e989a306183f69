// Random machines for property tests: nodes with and without processors and memory, ranges with holes between them.
import fc from 'fast-check';
import type { MachineDescription } from '../../src/index.js';

const PAGE = 4096;

/** Any machine that a description can describe: the first node has processors and memory, so that something can happen. */
export const randomDescription: fc.Arbitrary<MachineDescription> = fc
  .integer({ min: 1, max: 6 })
  .chain((nodes) =>
    fc.record({
      nodes: fc.array(
        fc.record({
          processors: fc.nat(4),
          ranges: fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 9 })), { maxLength: 3 }),
        }),
        { minLength: nodes, maxLength: nodes },
      ),
      distances: fc.array(fc.array(fc.integer({ min: 11, max: 254 }), { minLength: nodes, maxLength: nodes }), {
        minLength: nodes,
        maxLength: nodes,
      }),
      symmetric: fc.boolean(),
      latency: fc.array(fc.array(fc.integer({ min: 1, max: 900 }), { minLength: nodes, maxLength: nodes }), {
        minLength: nodes,
        maxLength: nodes,
      }),
      shuffled: fc.boolean(),
    }),
  )
  .map(build);

interface Seed {
  readonly nodes: readonly {
    readonly processors: number;
    readonly ranges: readonly (readonly [gap: number, pages: number])[];
  }[];
  readonly distances: readonly (readonly number[])[];
  readonly symmetric: boolean;
  readonly latency: readonly (readonly number[])[];
  /** Whether ranges of different nodes alternate. */
  readonly shuffled: boolean;
}

function build({ nodes, distances, symmetric, latency, shuffled }: Seed): MachineDescription {
  let processor = 0;
  let page = 0;
  const slots = nodes.flatMap(({ ranges }, node) =>
    (node === 0 && ranges.length === 0 ? ([[0, 1]] as const) : ranges).map((range) => ({ node, range })),
  );
  const ordered = shuffled ? slots.toSorted((one, other) => one.range[1] - other.range[1]) : slots;
  const placed = ordered.map(({ node, range: [gap, pages] }) => {
    const start = (page + gap) * PAGE;
    page += gap + pages;
    return { node, start, end: start + pages * PAGE };
  });
  return {
    name: 'random',
    nodes: nodes.map(({ processors }, node) => {
      const count = node === 0 ? processors + 1 : processors;
      const first = processor;
      processor += count;
      return {
        processors: Array.from({ length: count }, (_, index) => first + index).join(','),
        memory: placed.filter((range) => range.node === node).map(({ start, end }) => ({ start, end })),
      };
    }),
    distances: distances.map((row, from) =>
      row.map((far, to) => (from === to ? 10 : symmetric && to < from ? (distances[to]?.[from] ?? far) : far)),
    ),
    latency: { unit: 'cycles', matrix: latency },
  };
}
