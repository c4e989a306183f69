// What an event must not do to a state.
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/error.js';
import { bootedMachine } from '../support/booted-machine.js';

describe('setting a register', () => {
  it('refuses an activity state that does not exist: the machine could not be sealed any more', () => {
    const machine = bootedMachine();
    expect(() => machine.processor(0).set('activity', 99n)).toThrow(UsageError);
    expect([machine.position, machine.state.processors[0]?.activity]).toEqual([0, 'active']);
  });
});
