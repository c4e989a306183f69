// The law for this plugin: random sequences of its instructions on two processors, folded again from the initial state,
// give the same state, sealed wherever one likes.
import {
  apply,
  formatDigest,
  type MachineEvent,
  memorySink,
  openTrace,
  stateDigest,
  verify,
  writeTrace,
} from '@retrovisor/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { svm } from '../src/index.js';
import { svmMachine, VMCB } from './support/svm-machine.js';

const EFER = 0xc000_0080n;
const address = fc.constantFrom(VMCB, VMCB + 0x1000n, VMCB + 8n, 1n << 52n);
const msr = fc.constantFrom(0xc001_0114n, 0xc001_0115n, 0xc001_0117n, 0xc001_0118n, 0xc000_0104n, EFER);
const value = fc.oneof(
  fc.constantFrom(0n, 8n, 16n, 24n, 0x500n, 0x1500n, 0x1000n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);
const intrinsic = fc.oneof(
  address.map((rax) => ({ intrinsic: 'vmload', operands: [rax] })),
  address.map((rax) => ({ intrinsic: 'vmsave', operands: [rax] })),
  fc.constantFrom({ intrinsic: 'stgi', operands: [] }, { intrinsic: 'clgi', operands: [] }),
  fc.tuple(msr, value).map((operands) => ({ intrinsic: 'wrmsr', operands })),
);
const event: fc.Arbitrary<MachineEvent> = fc.oneof(
  fc
    .tuple(fc.nat(1), intrinsic)
    .map(([processor, call]) => ({ type: 'processor/intrinsicExecuted' as const, processor, ...call })),
  fc
    .tuple(fc.nat(1), fc.constantFrom('FS.base', 'IA32_STAR', 'GS.base'), value)
    .map(([processor, register, set]) => ({ type: 'processor/registerSet' as const, processor, register, value: set })),
);

it('replays identically, wherever it is sealed', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(event, fc.boolean()), { maxLength: 25 }), (steps) => {
      const machine = svmMachine('amd-server', 2);
      const start = machine.state;
      for (const [next, look] of steps) {
        machine.apply(next);
        if (look) void machine.state;
      }
      const folded = steps.reduce((state, [next]) => apply(machine.definition, state, next).state, start);
      expect(formatDigest(stateDigest(folded))).toBe(formatDigest(stateDigest(machine.state)));
    }),
    { numRuns: 25 },
  );
});

it('replays from a trace to the same digest', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 25 }), (events) => {
      const machine = svmMachine('amd-server', 2);
      for (const next of events) machine.apply(next);
      const sink = memorySink();
      writeTrace(machine.definition, machine.log, sink);
      const { positions, digest } = verify(openTrace(sink.bytes()), { plugins: [svm] });
      expect({ positions, digest }).toEqual({
        positions: machine.position,
        digest: formatDigest(stateDigest(machine.state)),
      });
    }),
    { numRuns: 15 },
  );
});
