// The graph of a region's blocks as nested blocks and loops of WebAssembly, which has no jumps. Norman Ramsey's "Beyond
// Relooper": each block is written inside the one that dominates it, those where paths meet behind a block of
// WebAssembly, and headers of loops inside a loop. An edge back to a block that does not dominate its source leaves the
// region instead.
import { assert } from '../error.js';

/** How control goes on along an edge. */
export type EdgeKind = 'inline' | 'behind' | 'again' | 'leave';

/** A graph whose nodes are 0 to n-1; 0 is the entry. */
export interface FlowGraph {
  readonly successors: readonly (readonly number[])[];
}

/** What the writer of code needs to know. */
export class ControlFlow {
  /** Nodes that can be reached, in reverse postorder, and the place of each node there. */
  readonly order: readonly number[];
  readonly #place: readonly number[];
  readonly #dominator: readonly number[];
  readonly #joins: ReadonlySet<number>;
  readonly #headers: ReadonlySet<number>;

  constructor({ successors }: FlowGraph) {
    this.order = reversePostorder(successors);
    const place: number[] = successors.map(() => -1);
    this.order.forEach((node, index) => {
      place[node] = index;
    });
    this.#place = place;
    this.#dominator = dominators(successors, this.order, place);
    const incoming = successors.map(() => 0);
    const headers = new Set<number>();
    for (const node of this.order)
      for (const to of successors[node] ?? []) {
        if (this.#isForward(node, to)) incoming[to] = (incoming[to] ?? 0) + 1;
        else if (this.#dominates(to, node)) headers.add(to);
      }
    this.#headers = headers;
    this.#joins = new Set(this.order.filter((node) => (incoming[node] ?? 0) > 1));
  }

  #isForward(from: number, to: number): boolean {
    return (this.#place[from] as number) < (this.#place[to] as number);
  }

  #dominates(node: number, other: number): boolean {
    let at = other;
    while ((this.#place[at] as number) > (this.#place[node] as number)) at = this.#dominator[at] as number;
    return at === node;
  }

  /** Whether some path comes back to the node from below it. */
  isLoopHeader(node: number): boolean {
    return this.#headers.has(node);
  }

  /** The nodes where paths meet that are written directly behind what this node dominates, the last one first. */
  joinsOf(node: number): readonly number[] {
    return this.order.filter((other) => this.#joins.has(other) && this.#dominator[other] === node).reverse();
  }

  /** How control goes from one node to another. */
  edge(from: number, to: number): EdgeKind {
    assert((this.#place[from] as number) >= 0, 'an edge from a node that is not reached', { from });
    if (this.#isForward(from, to)) return this.#joins.has(to) ? 'behind' : 'inline';
    return this.#dominates(to, from) ? 'again' : 'leave';
  }
}

function reversePostorder(successors: FlowGraph['successors']): readonly number[] {
  const seen = new Set<number>([0]);
  const result: number[] = [];
  const stack: { readonly node: number; next: number }[] = [{ node: 0, next: 0 }];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const to = successors[top.node]?.[top.next++];
    if (to === undefined) {
      result.push(top.node);
      stack.pop();
    } else if (!seen.has(to)) {
      seen.add(to);
      stack.push({ node: to, next: 0 });
    }
  }
  return result.reverse();
}

/** Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm". */
function dominators(
  successors: FlowGraph['successors'],
  order: readonly number[],
  place: readonly number[],
): readonly number[] {
  const predecessors: number[][] = successors.map(() => []);
  for (const node of order) for (const to of successors[node] ?? []) predecessors[to]?.push(node);
  const dominator: number[] = successors.map(() => -1);
  dominator[0] = 0;
  const meet = (first: number, second: number): number => {
    let [a, b] = [first, second];
    while (a !== b) {
      if ((place[a] as number) > (place[b] as number)) a = dominator[a] as number;
      else b = dominator[b] as number;
    }
    return a;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (const node of order.slice(1)) {
      const known = (predecessors[node] as number[]).filter((from) => dominator[from] !== -1);
      const [first, ...rest] = known;
      if (first === undefined) continue;
      const met = rest.reduce(meet, first);
      if (dominator[node] === met) continue;
      dominator[node] = met;
      changed = true;
    }
  }
  return dominator;
}
