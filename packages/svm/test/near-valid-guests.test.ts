// The law for guests: VMCBs that are nearly valid, fields changed at random, with guests of random instructions. Whatever comes
// of it is an outcome or a gap that is named; and a replay, and a run that is sealed at each step, end in the same state.
// RETROVISOR_SEQUENCES sets how many are tried.
import { formatDigest, NotModelled, stateDigest, Timeline } from '@retrovisor/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { VMCB_FIELDS } from '../src/vmcb.js';
import { machineWithGuest, type SvmMachine, setField } from './support/guest.js';
import { VMCB } from './support/svm-machine.js';

const SEQUENCES = Number(process.env['RETROVISOR_SEQUENCES'] ?? 60);

const value = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.nat(63).map((bit) => 1n << BigInt(bit)),
  fc.constantFrom(0n, 1n, 3n, VMCB, 0x30_0000n),
);
const change = fc.tuple(
  fc.constantFrom(...VMCB_FIELDS.filter(({ reserved, segment }) => !reserved && !segment)),
  value,
);
/** Instructions that guests are intercepted for, that fault, that change modes, and that do neither. */
const INSTRUCTIONS: readonly (readonly number[])[] = [
  [0x0f, 0xa2],
  [0xf4],
  [0x0f, 0x31],
  [0x0f, 0x01, 0xd9],
  [0x0f, 0x01, 0xd8],
  [0x0f, 0x01, 0xdc],
  [0x0f, 0x01, 0xdd],
  [0x0f, 0x20, 0xc0],
  [0x0f, 0x22, 0xc0],
  [0x0f, 0x22, 0xd8],
  [0x0f, 0x22, 0xe0],
  [0x44, 0x0f, 0x22, 0xc0],
  [0x0f, 0x32],
  [0x0f, 0x30],
  [0xcd, 0x80],
  [0xcc],
  [0xf1],
  [0x0f, 0x0b],
  [0xfb],
  [0xfa],
  [0x9c],
  [0x9d],
  [0xe4, 0x60],
  [0xe6, 0x80],
  [0xf3, 0x90],
  [0x50],
  [0x89, 0x03],
  [0x48, 0xcf],
];
const sequence = fc.record({
  changes: fc.array(change, { maxLength: 3 }),
  intercepts: fc.tuple(value, value, value),
  nested: fc.boolean(),
  code: fc.array(fc.constantFrom(...INSTRUCTIONS), { minLength: 1, maxLength: 6 }),
  steps: fc.integer({ min: 1, max: 12 }),
});
type Sequence = typeof sequence extends fc.Arbitrary<infer Value> ? Value : never;

/** A gap that is named ends the run. */
function withoutGap(action: () => void): boolean {
  try {
    action();
    return true;
  } catch (thrown) {
    if (thrown instanceof NotModelled) return false;
    throw thrown;
  }
}

function prepared({ changes, intercepts: [first, second, third], nested, code }: Sequence): SvmMachine {
  const machine = machineWithGuest(code.flat());
  setField(machine, 'Intercept exception vectors 0-31', first & 0xffff_ffffn);
  setField(machine, 'Intercept vector 3', second & 0xffff_ffffn);
  setField(machine, 'Intercept vector 4', (third & 0xffff_ffffn) | 1n);
  // The host's own tables are nested tables too: those of a supervisor, so that every access is refused.
  if (nested) {
    setField(machine, 'Nested paging and encryption control', 1n);
    setField(machine, 'N_CR3', machine.processor(0).read('CR3'));
  }
  for (const [{ name }, to] of changes) setField(machine, name, to);
  return machine;
}

it('ends in an outcome or a named gap, and replays identically', () => {
  fc.assert(
    fc.property(sequence, (drawn) => {
      const machine = prepared(drawn);
      const sealed = prepared(drawn);
      let goesOn = withoutGap(() => machine.processor(0).vmrun(VMCB));
      expect(withoutGap(() => sealed.processor(0).vmrun(VMCB))).toBe(goesOn);
      for (let count = 0; goesOn && count < drawn.steps; count++) {
        void sealed.state;
        goesOn = withoutGap(() => machine.processor(0).step());
        expect(withoutGap(() => sealed.processor(0).step())).toBe(goesOn);
      }
      const digest = formatDigest(stateDigest(machine.state));
      expect(formatDigest(stateDigest(sealed.state))).toBe(digest);
      const replayed = new Timeline(machine.definition, machine.log).seek(machine.position);
      expect(formatDigest(stateDigest(replayed))).toBe(digest);
    }),
    { numRuns: SEQUENCES },
  );
});
