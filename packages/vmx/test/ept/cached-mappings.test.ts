// Guests on a machine whose translations live until they are invalidated: what their VMM must invalidate, and what it need not.
import { staleTlb } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import {
  CONTROL,
  EPTP,
  EPTP_LIST,
  eptMachine,
  GUEST_DATA,
  leafAddress,
  OTHER_DATA,
  OTHER_EPTP,
} from '../support/ept-tables.js';
import { type Fields, HOST_CODE } from '../support/guest.js';
import { type VmxMachineUnderTest, writeValue } from '../support/machine.js';

const LOAD = [0x8a, 0x04, 0x25, 0x00, 0x00, 0x17, 0x00]; // mov al, [GUEST_DATA]
const UD2 = [0x0f, 0x0b];
const LEAVE = { 'Exception bitmap': 1n << 6n };
const VPID = { 'Virtual-processor identifier (VPID)': 7n };
const LEAF = leafAddress(GUEST_DATA);
const bytes32 = (value: bigint): number[] => [0n, 8n, 16n, 24n].map((shift) => Number((value >> shift) & 0xffn));
/** mov qword [LEAF], other page */
const REMAP = [0x48, 0xc7, 0x04, 0x25, ...bytes32(LEAF), ...bytes32(OTHER_DATA | 0x37n)];

/** The guest loads, leaves, and loads again when it is resumed behind its UD2. */
function machineWith(controls: bigint, fields: Fields = {}): VmxMachineUnderTest {
  const machine = eptMachine([...LOAD, ...UD2, ...LOAD, ...UD2], controls, { ...LEAVE, ...fields }, {}, [staleTlb]);
  machine.writeMemory(HOST_CODE, Uint8Array.from(REMAP));
  writeValue(machine, GUEST_DATA, 1, 1n);
  writeValue(machine, OTHER_DATA, 1, 2n);
  return machine;
}

const AL = (machine: VmxMachineUnderTest) => machine.processor(0).read('RAX') & 0xffn;

/** Loads in the guest, remaps the page in the host, does something, and loads again: what was loaded, and the outcome. */
function remapped(machine: VmxMachineUnderTest, then: (machine: VmxMachineUnderTest) => void = () => {}) {
  const cpu = machine.processor(0);
  cpu.vmlaunch();
  cpu.step();
  expect(AL(machine)).toBe(1n);
  expect(cpu.step()).toMatchObject({ kind: 'vmx/VM-exit', reason: 0 });
  cpu.step();
  then(machine);
  cpu.vmwrite(0x681en, 0x12_0009n);
  expect(cpu.vmresume()).toEqual({ kind: 'vmx/VM-entry' });
  const outcome = cpu.step();
  return { value: AL(machine), outcome };
}

describe('a mapping of a guest with a VPID', () => {
  it('outlives a VM exit and a change of its EPT entry, which is a hazard', () => {
    const { value, outcome } = remapped(machineWith(CONTROL.vpid, VPID));
    expect(value).toBe(1n);
    expect(outcome).toMatchObject({
      hazards: [
        {
          hazard: 'core.tlb.stale-translation',
          facts: { entry: `entry of the second level at 0x${LEAF.toString(16)}` },
        },
      ],
    });
  });

  it.each<[string, (machine: VmxMachineUnderTest) => unknown, bigint]>([
    ['INVEPT for its EPTP', (machine) => machine.processor(0).invept(1n, EPTP, 0n), 2n],
    ['INVEPT for another EPTP', (machine) => machine.processor(0).invept(1n, OTHER_EPTP, 0n), 1n],
    ['INVEPT for all', (machine) => machine.processor(0).invept(2n, 0n, 0n), 2n],
    ['INVVPID for its address', (machine) => machine.processor(0).invvpid(0n, 7n, GUEST_DATA), 2n],
    ['INVVPID for another address', (machine) => machine.processor(0).invvpid(0n, 7n, 0x60_0000n), 1n],
    ['INVVPID for its VPID', (machine) => machine.processor(0).invvpid(1n, 7n, 0n), 2n],
    ['INVVPID for another VPID', (machine) => machine.processor(0).invvpid(1n, 8n, 0n), 1n],
    ['INVVPID for all VPIDs', (machine) => machine.processor(0).invvpid(2n, 0n, 0n), 2n],
    ['INVVPID for what is not global', (machine) => machine.processor(0).invvpid(3n, 7n, 0n), 2n],
    ['MOV to CR3 of the host', (machine) => machine.processor(0).movToCr3(machine.processor(0).read('CR3')), 1n],
    ['another VPID', (machine) => machine.processor(0).vmwrite(0n, 8n), 2n],
  ])('and %s', (_, then, expected) => {
    expect(remapped(machineWith(CONTROL.vpid, VPID), then).value).toBe(expected);
  });
});

it('a mapping of a guest without a VPID ends with the VM exit', () => {
  const { value, outcome } = remapped(machineWith(0n));
  expect(value).toBe(2n);
  expect(outcome).toEqual({ kind: 'completed' });
});

it('a mapping is not found under another EPTP', () => {
  const vmfunc = [0x0f, 0x01, 0xd4];
  const machine = eptMachine(
    [...LOAD, ...vmfunc, ...LOAD],
    CONTROL.vpid | CONTROL.vmFunctions,
    { ...VPID, 'VM-function controls': 1n },
    {},
    [staleTlb],
  );
  writeValue(machine, GUEST_DATA, 1, 1n);
  writeValue(machine, OTHER_DATA, 1, 2n);
  writeValue(machine, EPTP_LIST, 8, OTHER_EPTP);
  const cpu = machine.processor(0);
  cpu.vmlaunch();
  cpu.set('RCX', 0n);
  cpu.step();
  cpu.set('RAX', 0n);
  cpu.step(2);
  expect(AL(machine)).toBe(2n);
});

it('walks EPT before it refuses anything: rights that were added count without INVEPT', () => {
  const store = [0xc6, 0x04, 0x25, 0x00, 0x00, 0x17, 0x00, 0x55];
  const machine = eptMachine([...LOAD, ...store, ...LOAD], CONTROL.vpid, { ...VPID }, {}, [staleTlb]);
  writeValue(machine, LEAF, 8, GUEST_DATA | 0x35n);
  const cpu = machine.processor(0);
  cpu.vmlaunch();
  cpu.step();
  writeValue(machine, LEAF, 8, GUEST_DATA | 0x37n);
  expect(cpu.step()).toEqual({ kind: 'completed' });
  cpu.step();
  expect(AL(machine)).toBe(0x55n);
});

it('shows in its view whose mapping it is', () => {
  const machine = machineWith(CONTROL.vpid, VPID);
  machine.processor(0).vmlaunch();
  machine.processor(0).step();
  const [view] = staleTlb.views?.['tlb']?.(machine.state, machine.definition) ?? [];
  const row = view?.rows.find(([page]) => page === `0x${GUEST_DATA.toString(16)}`);
  expect(row?.slice(0, 3)).toEqual(['0x170000', '0x170000', '0x200000']);
  expect(row?.[5]).toBe('0, guest 7');
});
