// What a debugger sees of a state: code, stack and memory at linear addresses, without changing anything.
import { describe, expect, it } from 'vitest';
import { codeAt, readLinear, stackAt } from '../../src/index.js';
import { CODE, hex, machineWith } from '../support/booted-machine.js';
import { KERNEL_STACK, protectedMachine } from '../support/protected-machine.js';

describe('a state', () => {
  // PUSH 12H; NOP; HLT
  const machine = machineWith(hex('6a 12 90 f4'));
  machine.run({ maxSteps: 1 });
  const { definition, state } = machine;
  const here = { definition, state, processor: 0 };

  it('has instructions from RIP on', () => {
    const lines = codeAt(here, 2);
    expect(lines.map(({ address, text }) => [address, text])).toEqual([
      [BigInt(CODE + 2), 'nop'],
      [BigInt(CODE + 3), 'hlt'],
    ]);
    expect(codeAt(here, 1, BigInt(CODE))[0]).toMatchObject({ text: 'push 0x12', bytes: Uint8Array.of(0x6a, 0x12) });
  });

  it('has words on the stack', () => {
    expect(stackAt(here, 1)).toEqual([{ address: 0x7ff8n, value: 0x12n, width: 8 }]);
  });

  it('has bytes at linear addresses, up to the first that is not mapped', () => {
    expect(readLinear(here, BigInt(CODE), 3)).toEqual(Uint8Array.of(0x6a, 0x12, 0x90));
    expect(readLinear(here, 0xffff_fffen, 4)).toHaveLength(2);
    expect(readLinear(here, 1n << 63n, 4)).toHaveLength(0);
  });

  it('is not changed by looking', () => {
    codeAt(here, 4);
    expect(machine.state).toBe(state);
  });

  it('is looked at as a supervisor may, whatever SMAP forbids', () => {
    const guarded = machineWith(hex('f4'));
    guarded.processor(0).set('CR4', guarded.processor(0).read('CR4') | (1n << 21n));
    const view = { definition: guarded.definition, state: guarded.state, processor: 0 };
    expect(codeAt(view, 1)[0]?.text).toBe('hlt');
  });

  it('has 32-bit words on a 32-bit stack', () => {
    const legacy = protectedMachine('6a 34 f4');
    legacy.run({ maxSteps: 1 });
    const view = { definition: legacy.definition, state: legacy.state, processor: 0 };
    expect(stackAt(view, 1)).toEqual([{ address: BigInt(KERNEL_STACK - 4), value: 0x34n, width: 4 }]);
  });
});
