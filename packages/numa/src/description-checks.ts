// What must hold between the members of a machine description: every address and every processor has one node, matrices
// have a row and a column for each, every access that can happen has a price.
import type { MachineDescription, MemoryRange } from './machine-description.js';
import { processorsOf } from './processor-list.js';

/** One thing that is wrong: where, what was found there, what would have been accepted. */
export interface DescriptionProblem {
  /** A path: `nodes.1.memory.0.end`. */
  readonly place: string;
  readonly found: unknown;
  readonly accepted: string;
}

const LOCAL_DISTANCE = 10;

/** Everything that is wrong with a description of the right form. */
export function consistencyProblems(description: MachineDescription): readonly DescriptionProblem[] {
  return [
    ...processorProblems(description),
    ...rangeProblems(description),
    ...overlapProblems(description),
    ...distanceProblems(description),
    ...latencyProblems(description),
    ...clockProblems(description),
  ];
}

function processorProblems({ nodes }: MachineDescription): readonly DescriptionProblem[] {
  const nodeOf = new Map<number, number>();
  const problems: DescriptionProblem[] = [];
  for (const [node, { processors }] of nodes.entries()) {
    for (const processor of processorsOf(processors)) {
      const other = nodeOf.get(processor);
      if (other === undefined) nodeOf.set(processor, node);
      else
        problems.push({
          place: `nodes.${node}.processors`,
          found: processor,
          accepted: `a processor that node ${other} does not have`,
        });
    }
  }
  if (nodeOf.size === 0) problems.push({ place: 'nodes', found: 'no processor', accepted: 'a node with processors' });
  return problems;
}

function rangeProblems({ nodes }: MachineDescription): readonly DescriptionProblem[] {
  return nodes.flatMap(({ memory }, node) =>
    memory.flatMap(({ start, end }, index) =>
      start < end
        ? []
        : [
            {
              place: `nodes.${node}.memory.${index}.end`,
              found: end,
              accepted: `an address over the start, ${start},`,
            },
          ],
    ),
  );
}

interface PlacedRange extends MemoryRange {
  readonly place: string;
}

/** Ranges in order of address: an overlap is always one of neighbours, or the one that reached farthest. */
function overlapProblems({ nodes }: MachineDescription): readonly DescriptionProblem[] {
  const ranges: PlacedRange[] = nodes.flatMap(({ memory }, node) =>
    memory.map((range, index) => ({ ...range, place: `nodes.${node}.memory.${index}` })),
  );
  const problems: DescriptionProblem[] = [];
  let farthest: PlacedRange | undefined;
  for (const range of ranges.toSorted((one, other) => one.start - other.start)) {
    if (farthest !== undefined && range.start < farthest.end) {
      problems.push({
        place: `${range.place}.start`,
        found: range.start,
        accepted: `an address outside ${farthest.place}`,
      });
    }
    if (farthest === undefined || range.end > farthest.end) farthest = range;
  }
  return problems;
}

/** Linux refuses a table in which a node is no nearer to itself than to another one; so do we. */
function distanceProblems({ nodes, distances }: MachineDescription): readonly DescriptionProblem[] {
  if (distances === undefined) return [];
  const shape = shapeProblems('distances', distances, nodes.length);
  if (shape.length > 0) return shape;
  return distances.flatMap((row, from) =>
    row.flatMap((found, to) => {
      if ((from === to) === (found === LOCAL_DISTANCE)) return [];
      const accepted =
        from === to ? `${LOCAL_DISTANCE}, the distance to itself,` : `a whole number from ${LOCAL_DISTANCE + 1} to 254`;
      return [{ place: `distances.${from}.${to}`, found, accepted }];
    }),
  );
}

function latencyProblems({ nodes, latency }: MachineDescription): readonly DescriptionProblem[] {
  if (!('matrix' in latency)) return [];
  const shape = shapeProblems('latency.matrix', latency.matrix, nodes.length);
  if (shape.length > 0) return shape;
  const canHappen = (from: number, to: number) => nodes[from]?.processors !== '' && (nodes[to]?.memory.length ?? 0) > 0;
  return latency.matrix.flatMap((row, from) =>
    row.flatMap((found, to) =>
      found === null && canHappen(from, to)
        ? [
            {
              place: `latency.matrix.${from}.${to}`,
              found,
              accepted: `a number, because processors of node ${from} reach memory of node ${to},`,
            },
          ]
        : [],
    ),
  );
}

function shapeProblems(
  place: string,
  matrix: readonly (readonly unknown[])[],
  size: number,
): readonly DescriptionProblem[] {
  if (matrix.length !== size)
    return [{ place, found: `${matrix.length} rows`, accepted: `a row for each of ${size} nodes` }];
  return matrix.flatMap((row, from) =>
    row.length === size
      ? []
      : [{ place: `${place}.${from}`, found: `${row.length} columns`, accepted: `a column for each of ${size} nodes` }],
  );
}

function clockProblems({ latency, clockInMHz }: MachineDescription): readonly DescriptionProblem[] {
  if (latency.unit === 'cycles' || clockInMHz !== undefined) return [];
  return [{ place: 'clockInMHz', found: undefined, accepted: 'a number over 0, because latencies are in ns,' }];
}
