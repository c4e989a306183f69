// What each step changed: registers by name with their new value, flags settled, what the processor counts left out.
import { expect, it } from 'vitest';
import { initialState, stepsWithChanges } from '../../src/index.js';
import { hex, machineWith } from '../support/booted-machine.js';

it('steps tell which registers they changed', () => {
  // MOV EAX, 1; DEC EAX; NOP; MOV DS, EAX
  const machine = machineWith(hex('b8 01 00 00 00 ff c8 90 8e d8 f4'));
  machine.run({ maxSteps: 4 });
  machine.processor(0).set('RBX', 7n);
  machine.writeMemory(0x1000, Uint8Array.of(1));
  const { definition, log, position } = machine;
  const steps = [...stepsWithChanges(definition, log, initialState(definition), position)];
  expect(steps.map(({ step, changes }) => [step.position, changes])).toEqual([
    [0, [{ register: 'RAX', value: 1n }]],
    [
      1,
      [
        { register: 'RAX', value: 0n },
        { register: 'RFLAGS', value: 0x46n },
      ],
    ],
    [2, []],
    [
      3,
      [
        { register: 'DS.selector', value: 0n },
        ...(steps[3]?.changes.slice(1) ?? []), // the hidden part of a null selector
      ],
    ],
    [4, [{ register: 'RBX', value: 7n }]],
    [5, []],
  ]);
});
