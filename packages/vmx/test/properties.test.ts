import { fc, test } from '@fast-check/vitest';
import {
  apply,
  initialState,
  isFailure,
  type MachineEvent,
  type MachineState,
  RetrovisorError,
} from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { NO_VMCS, vmxMachineIn, vmxProcessorIn } from '../src/index.js';
import {
  bootedMachine,
  OTHER_VMCS,
  VMCS,
  VMXON_REGIONS,
  type VmxMachineUnderTest,
  writeValue,
} from './support/machine.js';

type Step = (machine: VmxMachineUnderTest) => MachineEvent;

const processor = fc.constantFrom(0, 1);
/** Mostly addresses at which something can happen. */
const address = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...VMXON_REGIONS, VMCS, OTHER_VMCS, VMCS + 1n, 1n << 46n) },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: NO_VMCS }) },
);
const field = fc.oneof(
  fc.constantFrom(0x681en, 0x4400n, 0x2800n, 0x2801n, 0x4402n, 0x6ffen),
  fc.bigInt({ min: 0n, max: 0xffffn }),
);
const value = fc.bigInt({ min: 0n, max: NO_VMCS });

const type = fc.bigInt({ min: 0n, max: 5n });

const intrinsic = (name: string, ...operands: readonly fc.Arbitrary<bigint>[]): fc.Arbitrary<Step> =>
  fc.tuple(processor, fc.tuple(...operands)).map(([id, operands]) => () => ({
    type: 'processor/intrinsicExecuted',
    processor: id,
    intrinsic: name,
    operands,
  }));

/** Registers that decide what the instructions do, with values that may be unfit. */
const registerSet: fc.Arbitrary<Step> = fc
  .tuple(processor, fc.constantFrom('CR0', 'CR4', 'IA32_FEATURE_CONTROL', 'SS.attributes'), fc.nat(31))
  .map(([id, register, bit]) => (machine) => ({
    type: 'processor/registerSet',
    processor: id,
    register,
    value: BigInt.asUintN(32, machine.processor(id).read(register) ^ (1n << BigInt(bit))),
  }));

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: intrinsic('vmxon', address) },
  { weight: 1, arbitrary: intrinsic('vmxoff') },
  { weight: 4, arbitrary: intrinsic('vmclear', address) },
  { weight: 4, arbitrary: intrinsic('vmptrld', address) },
  { weight: 1, arbitrary: intrinsic('vmptrst') },
  { weight: 3, arbitrary: intrinsic('vmread', field) },
  { weight: 3, arbitrary: intrinsic('vmwrite', field, value) },
  { weight: 1, arbitrary: intrinsic('invept', type, value, value) },
  { weight: 1, arbitrary: intrinsic('invvpid', type, field, value) },
  { weight: 1, arbitrary: registerSet },
);

const steps = fc.array(step, { minLength: 1, maxLength: 60 });

/** What two states are compared by: everything but the frames, which are compared as bytes. */
function shown(state: MachineState) {
  const frames = [...state.memory.frames()].map((frame) => [frame, state.memory.read(frame, 4096)]);
  return { position: state.position, processors: state.processors, plugins: state.plugins, frames };
}

function run(machine: VmxMachineUnderTest, sequence: readonly Step[]): void {
  for (const make of sequence) machine.apply(make(machine));
}

describe('any sequence of VMX intrinsics', () => {
  test.prop([steps], { numRuns: 15 })('leads to the same state when its events are applied one by one', (sequence) => {
    const machine = bootedMachine();
    run(machine, sequence);
    const { definition, log } = machine;
    const events = [...log.slice(0, log.length)].map(({ event }) => event);
    const replayed = events.reduce((state, event) => apply(definition, state, event).state, initialState(definition));
    expect(shown(replayed)).toEqual(shown(machine.state));
  });

  test.prop([steps], { numRuns: 60 })(
    'ends every step in an outcome, never in an error that has no type',
    (sequence) => {
      const machine = bootedMachine();
      for (const make of sequence) {
        try {
          const outcome = machine.apply(make(machine));
          if (isFailure(outcome)) expect('rule' in outcome || outcome.kind === 'shutdown').toBe(true);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(RetrovisorError);
        }
      }
    },
  );

  test.prop([steps], { numRuns: 60 })('keeps what is current, active and watched consistent', (sequence) => {
    const machine = bootedMachine();
    run(machine, sequence);
    const { state } = machine;
    const uses = Object.entries(vmxMachineIn(state)?.regions ?? {}).flatMap(([key, list]) =>
      list.map((use) => ({ key, ...use })),
    );
    for (const { id } of state.processors) {
      const vmx = vmxProcessorIn(state, id);
      const mine = uses.filter((use) => use.processor === id);
      const regions = mine.filter(({ as }) => as === 'VMXON region').map(({ key }) => key);
      expect(regions).toEqual(vmx?.inVmxOperation ? [vmx.vmxonPointer.toString(16)] : []);
      if (!vmx?.inVmxOperation) expect([mine, vmx?.currentVmcs]).toEqual([[], NO_VMCS]);
      if (vmx !== undefined && vmx.currentVmcs !== NO_VMCS) {
        expect(mine).toContainEqual(expect.objectContaining({ key: vmx.currentVmcs.toString(16), as: 'active VMCS' }));
      }
    }
  });
});

it('leaves a sealed state as it was when the machine goes on', () => {
  const machine = bootedMachine();
  const before = machine.state;
  const copy = shown(before);
  machine.processor(0).vmxon(VMXON_REGIONS[0]);
  machine.processor(0).vmclear(VMCS);
  writeValue(machine, VMCS, 4, 0n);
  expect(shown(before)).toEqual(copy);
});
