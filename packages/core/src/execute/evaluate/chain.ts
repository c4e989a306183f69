// One closure out of several. A loop over an array would cost as much again as the calls, so the common lengths are
// written out and longer ones nested.
import type { Step } from './source.js';

/** NOP. */
function nothing(): void {}

function chain2(a: Step, b: Step): Step {
  return () => {
    a();
    b();
  };
}

function chain3(a: Step, b: Step, c: Step): Step {
  return () => {
    a();
    b();
    c();
  };
}

function chain4(a: Step, b: Step, c: Step, d: Step): Step {
  return () => {
    a();
    b();
    c();
    d();
  };
}

/** Runs the steps in order. */
export function chain(steps: readonly Step[]): Step {
  const [a, b, c, d, ...rest] = steps;
  if (a === undefined) return nothing;
  if (b === undefined) return a;
  if (c === undefined) return chain2(a, b);
  if (d === undefined) return chain3(a, b, c);
  return rest.length === 0 ? chain4(a, b, c, d) : chain2(chain4(a, b, c, d), chain(rest));
}
