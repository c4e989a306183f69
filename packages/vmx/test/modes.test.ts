import { fault } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { bootedMachine, rootMachine, type VmxMachineUnderTest } from './support/machine.js';
import { MODES, setPrivilege } from './support/modes.js';
import { PASSING } from './support/violations.js';

const REFUSED: Readonly<Record<string, string>> = {
  'compatibility mode': 'compat',
  'virtual-8086 mode': 'v86',
  'real-address mode': 'pe',
};

function machineFor(mnemonic: string): VmxMachineUnderTest {
  return PASSING[mnemonic]?.inRoot ? rootMachine() : bootedMachine();
}

function execute(machine: VmxMachineUnderTest, mnemonic: string) {
  const { operands = [] } = PASSING[mnemonic] ?? {};
  const intrinsic = mnemonic.toLowerCase();
  return machine.apply({ type: 'processor/intrinsicExecuted', processor: 0, intrinsic, operands });
}

describe.each(Object.keys(PASSING))('%s', (mnemonic) => {
  const rule = (check: string) => `vmx.${mnemonic.toLowerCase()}.${check}`;

  it.each(['64-bit mode', 'protected mode'] as const)('is executed in %s at CPL 0', (mode) => {
    const machine = machineFor(mnemonic);
    MODES[mode](machine);
    // VMLAUNCH and VMRESUME get as far as the VMCS, which is empty here.
    const kind = PASSING[mnemonic]?.succeeds === undefined ? 'vmx/VMsucceed' : 'vmx/VMfailValid';
    expect(execute(machine, mnemonic)).toMatchObject({ kind });
  });

  it.each([1, 2, 3] as const)('is #GP(0) in 64-bit mode at CPL %i', (level) => {
    const machine = machineFor(mnemonic);
    setPrivilege(machine, level);
    expect(execute(machine, mnemonic)).toEqual(fault('#GP', { errorCode: 0, rule: rule('cpl') }));
  });

  it.each([1, 2, 3] as const)('is #GP(0) in protected mode at CPL %i', (level) => {
    const machine = machineFor(mnemonic);
    MODES['protected mode'](machine);
    setPrivilege(machine, level);
    expect(execute(machine, mnemonic)).toEqual(fault('#GP', { errorCode: 0, rule: rule('cpl') }));
  });

  it.each(['compatibility mode', 'virtual-8086 mode', 'real-address mode'] as const)('is #UD in %s', (mode) => {
    const machine = machineFor(mnemonic);
    MODES[mode](machine);
    expect(execute(machine, mnemonic)).toEqual(fault('#UD', { rule: rule(REFUSED[mode] ?? '') }));
  });

  it('is #UD at CPL 3 in compatibility mode: the mode is checked before the privilege', () => {
    const machine = machineFor(mnemonic);
    MODES['compatibility mode'](machine);
    setPrivilege(machine, 3);
    expect(execute(machine, mnemonic)).toMatchObject({ vector: '#UD' });
  });
});
