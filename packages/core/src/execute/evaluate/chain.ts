// One closure out of several. The common lengths are written out: a loop over an array costs as much again as the calls.
import { InternalError } from '../../error.js';
import type { Step } from './source.js';

const CHAINS: readonly ((steps: readonly Step[]) => Step)[] = [
  () => () => {},
  ([a]) => present(a),
  ([a, b]) => chain2(present(a), present(b)),
  ([a, b, c]) => chain3(present(a), present(b), present(c)),
  ([a, b, c, d]) => chain4(present(a), present(b), present(c), present(d)),
];

function present(step: Step | undefined): Step {
  if (step === undefined) throw new InternalError('a chain of fewer steps than its length');
  return step;
}

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
  const make = CHAINS[steps.length];
  if (make !== undefined) return make(steps);
  const copy = [...steps];
  return () => {
    for (let index = 0; index < copy.length; index++) (copy[index] as Step)();
  };
}
