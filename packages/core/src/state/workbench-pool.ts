// Workbenches are few: a WebAssembly.Memory reserves address space and is freed late. Machines and timelines claim one
// and give it up when somebody else needs it more; what they hold is sealed first and costs them a reload later.
import { Workbench } from './workbench.js';

/** Machines that are active at the same time without taking benches from each other. */
const BENCHES = 6;

/** Least recently claimed first. */
const benches: Workbench[] = [];

/** A bench for an owner that can be asked to leave it. The owner's `release` must drop every reference to the bench. */
export function claimWorkbench(owner: { release(): void }): Workbench {
  const bench =
    benches.find(({ owner: holder }) => holder === undefined) ??
    (benches.length < BENCHES ? add() : (benches[0] as Workbench));
  bench.owner?.release();
  bench.owner = owner;
  touchWorkbench(bench);
  return bench;
}

/** Says that a bench was used: it is the last one to be taken away. */
export function touchWorkbench(bench: Workbench): void {
  if (benches.at(-1) === bench) return;
  const index = benches.indexOf(bench);
  if (index >= 0) benches.splice(index, 1);
  benches.push(bench);
}

/** Gives a bench back. */
export function releaseWorkbench(bench: Workbench): void {
  bench.owner = undefined;
}

/** Uses a bench for the length of a function. */
export function withWorkbench<Result>(work: (bench: Workbench) => Result): Result {
  const owner = {
    release: () => {
      throw new Error('a bench in use was claimed');
    },
  };
  const bench = claimWorkbench(owner);
  try {
    return work(bench);
  } finally {
    releaseWorkbench(bench);
  }
}

function add(): Workbench {
  const bench = new Workbench();
  benches.push(bench);
  return bench;
}
