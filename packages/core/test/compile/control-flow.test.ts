// Graphs as structured code: whatever the graph, WebAssembly visits its nodes in the order in which the graph does.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ControlFlow, type FlowGraph } from '../../src/compile/control-flow.js';
import { FunctionCode, type Label, type Local } from '../../src/compile/wasm/function-code.js';
import { moduleBytes } from '../../src/compile/wasm/module.js';

/** Two ways out of a node may lead to the same one. */
type Successors = FlowGraph['successors'];

/** Where a walk goes on, and the function of which the code is left. */
interface Writer {
  readonly code: FunctionCode;
  readonly flow: ControlFlow;
  readonly successors: Successors;
  readonly labels: Map<number, Label>;
  readonly chosen: Local;
}

/** The code of a graph: `visit` tells which way to go; the result is the node to go on with, or -1 at an end. */
function writeTree(writer: Writer, node: number): void {
  const { code, flow, labels } = writer;
  const joins = flow.joinsOf(node);
  if (!flow.isLoopHeader(node)) {
    writeWithin(writer, node, joins);
    return;
  }
  labels.set(node, code.open('loop'));
  writeWithin(writer, node, joins);
  code.end();
  code.op('unreachable');
}

function writeWithin(writer: Writer, node: number, [join, ...rest]: readonly number[]): void {
  const { code, labels } = writer;
  if (join === undefined) {
    writeNode(writer, node);
    return;
  }
  labels.set(join, code.open('block'));
  writeWithin(writer, node, rest);
  code.end();
  writeTree(writer, join);
}

function writeNode(writer: Writer, node: number): void {
  const { code, chosen, successors } = writer;
  code.i32(node);
  code.call(0);
  code.set(chosen);
  (successors[node] ?? []).forEach((to, way) => {
    code.get(chosen);
    code.i32(way);
    code.op('i32.eq');
    code.open('if');
    writeEdge(writer, node, to);
    code.end();
  });
  code.i32(-1);
  code.op('return');
}

function writeEdge(writer: Writer, from: number, to: number): void {
  const { code, flow, labels } = writer;
  const kind = flow.edge(from, to);
  if (kind === 'inline') writeTree(writer, to);
  else if (kind === 'leave') {
    code.i32(to);
    code.op('return');
  } else code.br(labels.get(to) as Label);
}

type Walk = (visit: (node: number) => number) => number;

function compiled(successors: Successors): Walk {
  const code = new FunctionCode(0);
  const chosen = code.local('i32');
  writeTree({ code, flow: new ControlFlow({ successors }), successors, labels: new Map(), chosen }, 0);
  code.op('unreachable');
  const module = moduleBytes({
    types: [
      { parameters: ['i32'], results: ['i32'] },
      { parameters: [], results: ['i32'] },
    ],
    imports: [{ name: 'visit', kind: 'function', type: 0 }],
    functions: [{ name: 'walk', type: 1, code }],
  });
  return (visit) => {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(module), { machine: { visit } });
    return (instance.exports['walk'] as () => number)();
  };
}

/** The same graph with another node as its entry: what the region that begins there has. */
function enteredAt(
  successors: Successors,
  entry: number,
): { readonly graph: Successors; readonly number: (node: number) => number } {
  const number = (node: number): number => (node === 0 ? entry : node === entry ? 0 : node);
  return { graph: successors.map((_, node) => (successors[number(node)] ?? []).map(number)), number };
}

const MOST_VISITS = 200;

/** The nodes that a walk visits, if it takes at each the way that a list says. */
function graphWalk(successors: Successors, ways: readonly number[]): readonly number[] {
  const visited: number[] = [];
  for (let node: number | undefined = 0; node !== undefined && visited.length < MOST_VISITS; ) {
    const way = wayAt(ways, visited.length);
    visited.push(node);
    node = successors[node]?.[way];
  }
  return visited;
}

const wayAt = (ways: readonly number[], visits: number): number => ways[visits % ways.length] as number;

/** The same by compiled code; where it leaves, the code that begins at the place goes on. */
function compiledWalk(successors: Successors, ways: readonly number[]): { visited: readonly number[]; left: number } {
  const visited: number[] = [];
  let left = 0;
  for (let entry = 0; entry >= 0; left++) {
    const { graph, number } = enteredAt(successors, entry);
    const to = compiled(graph)((node) => {
      const way = wayAt(ways, visited.length);
      if (visited.length >= MOST_VISITS) return -1;
      visited.push(number(node));
      return way;
    });
    entry = to < 0 ? -1 : number(to);
  }
  return { visited, left };
}

const graphs = fc
  .integer({ min: 1, max: 12 })
  .chain((nodes) => fc.array(fc.array(fc.nat(nodes - 1), { maxLength: 3 }), { minLength: nodes, maxLength: nodes }));
const choices = fc.array(fc.nat(2), { minLength: 1, maxLength: 40 });

describe('ControlFlow', () => {
  it('visits the nodes of any graph in the order of the graph, reducible or not', () => {
    fc.assert(
      fc.property(graphs, choices, (successors, ways) => {
        expect(compiledWalk(successors, ways).visited).toEqual(graphWalk(successors, ways));
      }),
      { numRuns: 1500 },
    );
  });

  it('never leaves a graph whose loops have one entry each', () => {
    // Two nested loops with a way out of both from the inner one.
    const successors = [[1], [2, 5], [3, 4], [2, 5], [1], []];
    const flow = new ControlFlow({ successors });
    expect([1, 2].every((node) => flow.isLoopHeader(node))).toBe(true);
    fc.assert(
      fc.property(choices, (ways) => {
        const { visited, left } = compiledWalk(successors, ways);
        expect(visited).toEqual(graphWalk(successors, ways));
        expect(left).toBe(1);
      }),
    );
  });

  it('leaves a loop with two entries where it goes back to the one that does not dominate', () => {
    const successors = [[1, 2], [2], [1]];
    const flow = new ControlFlow({ successors });
    expect(flow.edge(0, 1)).toBe('inline');
    expect([flow.edge(1, 2), flow.edge(2, 1)].sort()).toEqual(['behind', 'leave']);
  });

  it('says how control goes along each edge of a diamond in a loop', () => {
    // 0 → 1 → {2, 3} → 4 → {1, 5}
    const successors = [[1], [2, 3], [4], [4], [1, 5], []];
    const flow = new ControlFlow({ successors });
    expect(flow.order).toHaveLength(6);
    expect(flow.isLoopHeader(1)).toBe(true);
    expect(flow.joinsOf(1)).toEqual([4]);
    expect(successors.flatMap((to, from) => to.map((node) => `${from}-${node} ${flow.edge(from, node)}`))).toEqual([
      '0-1 inline',
      '1-2 inline',
      '1-3 inline',
      '2-4 behind',
      '3-4 behind',
      '4-1 again',
      '4-5 inline',
    ]);
  });

  it('does not order what cannot be reached', () => {
    const flow = new ControlFlow({ successors: [[2], [2], []] });
    expect(flow.order).toEqual([0, 2]);
    expect(flow.edge(0, 2)).toBe('inline');
    expect(() => flow.edge(1, 2)).toThrow('an edge from a node that is not reached');
  });
});
