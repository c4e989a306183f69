import { describe, expect, it } from 'vitest';
import { bootedMachine, rootMachine } from '../support/machine.js';

describe('VMCALL', () => {
  it('fails in VMX root operation, for there is no dual-monitor treatment', () => {
    const machine = rootMachine();
    expect(machine.processor(0).vmcall()).toMatchObject({
      kind: 'vmx/VMfailValid',
      number: 1,
      rule: 'vmx.vmcall.no-dual-monitor',
    });
  });

  it.each([
    ['vmx.vmcall.not-in-vmx', '#UD', bootedMachine, undefined],
    ['vmx.vmcall.cpl', '#GP', rootMachine, ['SS.attributes', 0xc0f3n]],
    ['vmx.vmcall.compat', '#UD', rootMachine, ['CS.attributes', 0xc09bn]],
    ['vmx.vmcall.v86', '#UD', rootMachine, ['RFLAGS', 0x2_0002n]],
  ] as const)('%s', (rule, vector, start, change) => {
    const machine = start();
    if (change !== undefined) machine.processor(0).set(change[0], change[1]);
    expect(machine.processor(0).vmcall()).toMatchObject({ kind: 'fault', vector, rule });
  });
});
