import { fault } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { VMFUNC } from '../../src/instruction/vmfunc.js';
import { CONTROL, EPTP_LIST, eptMachine, GUEST_DATA, OTHER_DATA, OTHER_EPTP } from '../support/ept-tables.js';
import { GUEST_CODE, readField } from '../support/guest.js';
import { INSTRUCTION_ENTRIES } from '../support/inventory.js';
import { bootedMachine, rootMachine, type VmxMachineUnderTest, writeValue } from '../support/machine.js';

const CODE = [0x0f, 0x01, 0xd4];
const LOAD = [0x8b, 0x04, 0x25, 0x00, 0x00, 0x17, 0x00]; // mov eax, [GUEST_DATA]
const ENABLED = { 'VM-function controls': 1n };

function inGuest(
  fields: Parameters<typeof eptMachine>[2] = ENABLED,
  controls = CONTROL.vmFunctions,
): VmxMachineUnderTest {
  const machine = eptMachine([...CODE, ...LOAD], controls, fields);
  expect(machine.processor(0).vmlaunch()).toEqual({ kind: 'vmx/VM-entry' });
  return machine;
}

function executed(machine: VmxMachineUnderTest, eax: bigint, ecx: bigint) {
  machine.processor(0).set('RAX', eax);
  machine.processor(0).set('RCX', ecx);
  return machine.processor(0).step();
}

it('has a row for each entry of the inventory, in its order', () => {
  const entries = INSTRUCTION_ENTRIES.filter(
    ({ id, instruction }) => instruction === 'VMFUNC' && !id.endsWith('.success'),
  );
  expect(VMFUNC.checks.map(({ id }) => id)).toEqual(entries.map(({ id }) => `vmx.${id}`));
});

describe('VMFUNC', () => {
  it('is #UD outside VMX operation and in VMX root operation', () => {
    const expected = fault('#UD', { rule: 'vmx.vmfunc.not-nonroot' });
    for (const machine of [bootedMachine(), rootMachine()])
      expect(machine.processor(0).vmfunc(0n, 0n)).toEqual(expected);
  });

  it('is #UD in a guest without "enable VM functions", and for functions above 63', () => {
    expect(inGuest({}, 0n).processor(0).vmfunc(0n, 0n)).toEqual(fault('#UD', { rule: 'vmx.vmfunc.ctl' }));
    expect(inGuest().processor(0).vmfunc(64n, 0n)).toEqual(fault('#UD', { rule: 'vmx.vmfunc.eax-range' }));
  });

  it('switches the EPTP to that of the list', () => {
    const machine = inGuest();
    writeValue(machine, GUEST_DATA, 4, 1n);
    writeValue(machine, OTHER_DATA, 4, 2n);
    expect(executed(machine, 1n << 32n, 1n)).toMatchObject({ kind: 'completed' }); // EAX is 0
    machine.processor(0).step();
    expect(machine.processor(0).read('RAX')).toBe(2n);
    machine.processor(0).set('RIP', GUEST_CODE);
    executed(machine, 0n, 600n);
    expect(readField(machine, 'EPT pointer (EPTP)')).toBe(OTHER_EPTP);
    expect(readField(machine, 'EPTP index')).toBe(1n);
  });

  it.each([
    ['a function that is not enabled', 1n, 0n, 'vmx.vmfunc.disabled'],
    ['an index above 511', 0n, 512n, 'vmx.vmfunc.eptp-index'],
    ['an entry that is no EPTP', 0n, 2n, 'vmx.vmfunc.eptp-invalid'],
  ])('is a VM exit for %s', (_, eax, ecx, rule) => {
    const machine = inGuest();
    expect(executed(machine, eax, ecx)).toMatchObject({ kind: 'vmx/VM-exit', reason: 59, rule });
    expect(readField(machine, 'Guest RIP')).toBe(GUEST_CODE);
    expect(readField(machine, 'VM-exit instruction length')).toBe(3n);
    expect(readField(machine, 'Exit qualification')).toBe(0n);
  });

  it('is executed at any privilege', () => {
    const machine = inGuest({
      ...ENABLED,
      'Guest CS selector': 11n,
      'Guest CS access rights': 0xa0fbn,
      'Guest SS selector': 19n,
      'Guest SS access rights': 0xc0f3n,
    });
    expect(executed(machine, 0n, 1n)).toMatchObject({ kind: 'completed' });
  });

  it('reads the list from memory each time', () => {
    const machine = inGuest();
    writeValue(machine, EPTP_LIST + 16n, 8, OTHER_EPTP);
    expect(executed(machine, 0n, 2n)).toMatchObject({ kind: 'completed' });
  });
});
