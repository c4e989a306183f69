// The law for this plugin: random sequences of its instructions on two processors, folded again from the initial state,
// give the same state, sealed wherever one likes.
import { apply, initialState, type MachineEvent, type MachineState } from '@retrovisor/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
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

const plain = ({ position, processors, plugins, memory }: MachineState) => ({
  position,
  processors,
  plugins,
  frames: [...memory.frames()].map((frame) => [frame, memory.read(frame, 4096)]),
});

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
      expect(plain(folded)).toEqual(plain(machine.state));
    }),
    { numRuns: 25 },
  );
});

it('starts like any machine of its definition', () => {
  const machine = svmMachine('amd-server', 2);
  expect(initialState(machine.definition).position).toBe(0);
});
