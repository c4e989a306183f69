import { describe, expect, it } from 'vitest';
import { fieldNamed } from '../../src/fields.js';
import { fieldOffset } from '../../src/vmcs-region.js';
import {
  CONTROL,
  EPTP,
  eptMachine,
  GUEST_DATA,
  leafOf,
  OTHER_DATA,
  OTHER_EPTP,
  PML_LOG,
  R,
  setRights,
  VE_INFORMATION,
  W,
  X,
} from '../support/ept-tables.js';
import { GUEST_CODE, HOST_CODE, readField, writeFields } from '../support/guest.js';
import { readValue, VMCS, type VmxMachineUnderTest, writeValue } from '../support/machine.js';

const LOAD = [0x8b, 0x04, 0x25, 0x00, 0x00, 0x17, 0x00]; // mov eax, [GUEST_DATA]
const STORE = [0x89, 0x04, 0x25, 0x00, 0x00, 0x17, 0x00]; // mov [GUEST_DATA], eax
const FINAL = 0x180n;
const ADVANCED = 0xe00n;
const [ACCESSED, DIRTY] = [0x100n, 0x200n];

const qualification = (machine: VmxMachineUnderTest) => readField(machine, 'Exit qualification') & ~ADVANCED;

function enter(machine: VmxMachineUnderTest): void {
  expect(machine.processor(0).vmlaunch()).toEqual({ kind: 'vmx/VM-entry' });
}

describe('a guest with EPT', () => {
  it('runs on its tables, and its host on its own', () => {
    const machine = eptMachine([...LOAD, 0x0f, 0xa2], 0n, { 'EPT pointer (EPTP)': OTHER_EPTP });
    writeValue(machine, GUEST_DATA, 4, 1n);
    writeValue(machine, OTHER_DATA, 4, 2n);
    enter(machine);
    machine.processor(0).step();
    expect(machine.processor(0).read('RAX')).toBe(2n);
  });

  it('leaves at a violation, and resumes when it is mended', () => {
    const machine = eptMachine([0x90, ...STORE]);
    setRights(machine, GUEST_DATA, R | X);
    enter(machine);
    machine.processor(0).step();
    expect(machine.processor(0).step()).toMatchObject({
      kind: 'vmx/VM-exit',
      reason: 48,
      name: 'EPT violation',
      rule: 'vmx.ept.rights',
    });
    expect(machine.processor(0).read('RIP')).toBe(HOST_CODE);
    expect(readField(machine, 'Exit reason')).toBe(48n);
    expect(qualification(machine)).toBe(FINAL | 2n | 0x28n);
    expect(readField(machine, 'Guest-physical address')).toBe(GUEST_DATA);
    expect(readField(machine, 'Guest-linear address')).toBe(GUEST_DATA);
    expect(readField(machine, 'Guest RIP')).toBe(GUEST_CODE + 1n);
    setRights(machine, GUEST_DATA, R | W);
    machine.processor(0).set('RAX', 0x77n);
    expect(machine.processor(0).vmresume()).toEqual({ kind: 'vmx/VM-entry' });
    machine.processor(0).step();
    expect(readValue(machine, GUEST_DATA, 4)).toBe(0x77n);
  });

  it('leaves at a misconfiguration with reason 49', () => {
    const machine = eptMachine(LOAD);
    setRights(machine, GUEST_DATA, W);
    enter(machine);
    expect(machine.processor(0).step()).toMatchObject({ reason: 49, rule: 'vmx.ept.write-only' });
    expect(readField(machine, 'Guest-physical address')).toBe(GUEST_DATA);
  });

  it('leaves at a fetch of its first instruction', () => {
    const machine = eptMachine(LOAD);
    setRights(machine, GUEST_CODE, R | W);
    enter(machine);
    expect(machine.processor(0).step()).toMatchObject({ reason: 48 });
    expect(qualification(machine)).toBe(FINAL | 4n | 0x18n);
  });

  it('tells of the delivery that the violation ended', () => {
    const machine = eptMachine([0x0f, 0x0b], 0n, { 'Guest IDTR base': GUEST_DATA, 'Guest IDTR limit': 0xfffn });
    setRights(machine, GUEST_DATA, 0n);
    enter(machine);
    expect(machine.processor(0).step()).toMatchObject({ reason: 48 });
    expect(readField(machine, 'IDT-vectoring information field')).toBe(0x8000_0306n);
    expect(readField(machine, 'Guest RIP')).toBe(GUEST_CODE);
  });

  it('tells that IRET had unblocked NMIs', () => {
    const iretq = [0x48, 0xcf];
    const blocked = { 'Guest interruptibility state': 8n, 'Guest RSP': GUEST_DATA };
    const machine = eptMachine(iretq, 0n, blocked);
    setRights(machine, GUEST_DATA, 0n);
    enter(machine);
    machine.processor(0).step();
    expect(qualification(machine)).toBe(FINAL | 0x1001n);
    expect(readField(machine, 'Guest interruptibility state')).toBe(0n);
    const virtual = eptMachine(iretq, 0n, { ...blocked, 'Pin-based VM-execution controls': 0x3en });
    setRights(virtual, GUEST_DATA, 0n);
    enter(virtual);
    virtual.processor(0).step();
    expect(qualification(virtual)).toBe(FINAL | 0x1001n);
    expect(readField(virtual, 'Guest interruptibility state')).toBe(0n);
  });
});

describe('page-modification logging', () => {
  const fields = { 'EPT pointer (EPTP)': EPTP | 0x40n };

  it('keeps its index in the VMCS', () => {
    const machine = eptMachine([...STORE, ...STORE, ...LOAD], CONTROL.pml, fields);
    enter(machine);
    machine.processor(0).step(3);
    const index = readIndex(machine);
    const logged = Array.from({ length: 511 - index }, (_, used) =>
      readValue(machine, PML_LOG + 8n * BigInt(511 - used), 8),
    );
    expect(logged.filter((page) => page === GUEST_DATA)).toEqual([GUEST_DATA]);
    expect(leafOf(machine, GUEST_DATA) & (ACCESSED | DIRTY)).toBe(ACCESSED | DIRTY);
  });

  it('ends in reason 62 when the log is full', () => {
    const machine = eptMachine(STORE, CONTROL.pml, { ...fields, 'PML index': 0xffffn });
    enter(machine);
    expect(machine.processor(0).step()).toMatchObject({ reason: 62, name: 'Page-modification log full' });
    writeFields(machine, { 'PML index': 511n });
    machine.processor(0).vmresume();
    expect(machine.processor(0).step()).toMatchObject({ kind: 'completed' });
  });
});

/** The index as the region in memory has it, without leaving the guest. */
const readIndex = (machine: VmxMachineUnderTest): number =>
  Number(readValue(machine, VMCS + BigInt(fieldOffset(fieldNamed('PML index'))), 2));

describe('#VE', () => {
  it('is an exception of the guest, which the exception bitmap may take', () => {
    const machine = eptMachine(LOAD, CONTROL.ve, { 'Exception bitmap': 1n << 20n, 'EPTP index': 9n });
    setRights(machine, GUEST_DATA, 0n);
    enter(machine);
    expect(machine.processor(0).step()).toMatchObject({ kind: 'vmx/VM-exit', reason: 0 });
    expect(readField(machine, 'VM-exit interruption information')).toBe(0x8000_0314n);
    expect(readValue(machine, VE_INFORMATION, 8)).toBe(0xffff_ffff_0000_0030n);
    expect(readValue(machine, VE_INFORMATION + 24n, 8)).toBe(GUEST_DATA);
    expect(readValue(machine, VE_INFORMATION + 32n, 2)).toBe(9n);
    machine.processor(0).vmresume();
    expect(machine.processor(0).step()).toMatchObject({ reason: 48 }); // the area is busy
  });

  it('does not come while an event is being delivered', () => {
    const machine = eptMachine([0x0f, 0x0b], CONTROL.ve, { 'Guest IDTR base': GUEST_DATA, 'Guest IDTR limit': 0xfffn });
    setRights(machine, GUEST_DATA, 0n);
    enter(machine);
    expect(machine.processor(0).step()).toMatchObject({ reason: 48 });
  });
});
