import { describe, expect, it } from 'vitest';
import { GUEST_CODE, guestMachine, HOST_CODE, readField } from '../support/guest.js';

const UD2 = [0x0f, 0x0b];
const UD = 1n << 6n;

describe('a guest', () => {
  it('is entered and left by an intercepted exception', () => {
    const machine = guestMachine([0x90, ...UD2], { 'Exception bitmap': UD });
    const cpu = machine.processor(0);
    expect(cpu.vmlaunch()).toEqual({ kind: 'vmx/VM-entry' });
    expect(cpu.read('RIP')).toBe(GUEST_CODE);
    cpu.step();
    expect(cpu.step()).toMatchObject({ kind: 'vmx/VM-exit', reason: 0 });
    expect(cpu.read('RIP')).toBe(HOST_CODE);
    expect(readField(machine, 'Guest RIP')).toBe(GUEST_CODE + 1n);
    expect(readField(machine, 'VM-exit interruption information')).toBe(0x8000_0306n);
    expect(cpu.vmlaunch()).toMatchObject({ kind: 'vmx/VMfailValid', number: 4 });
    expect(cpu.vmresume()).toEqual({ kind: 'vmx/VM-entry' });
  });

  it('injects an event, and tells what was being delivered when its delivery ends in an exit', () => {
    const machine = guestMachine([0x90], {
      'Exception bitmap': 1n << 13n,
      'Guest IDTR limit': 0n,
      'Guest RFLAGS': 0x202n,
      'VM-entry interruption-information field': 0x8000_0020n,
    });
    const cpu = machine.processor(0);
    cpu.vmlaunch();
    expect(cpu.step()).toMatchObject({ kind: 'vmx/VM-exit', reason: 0 });
    expect(readField(machine, 'IDT-vectoring information field')).toBe(0x8000_0020n);
    expect(readField(machine, 'VM-exit interruption information')).toBe(0x8000_0b0dn);
    expect(readField(machine, 'VM-exit interruption error code')).toBe(0x103n);
    expect(readField(machine, 'VM-entry interruption-information field')).toBe(0x20n);
  });

  it('ends in a triple fault', () => {
    const machine = guestMachine(UD2, { 'Guest IDTR limit': 0n });
    const cpu = machine.processor(0);
    cpu.vmlaunch();
    expect(cpu.step()).toMatchObject({ kind: 'vmx/VM-exit', reason: 2 });
    expect(readField(machine, 'Guest RIP')).toBe(GUEST_CODE);
  });

  it('exits after each instruction with the monitor trap flag', () => {
    const machine = guestMachine([0x90, 0x90], { 'Primary processor-based VM-execution controls': 0x0c00_6172n });
    const cpu = machine.processor(0);
    cpu.vmlaunch();
    cpu.step();
    expect(cpu.step()).toMatchObject({ kind: 'vmx/VM-exit', reason: 37 });
    expect(readField(machine, 'Guest RIP')).toBe(GUEST_CODE + 1n);
  });

  it('is interrupted by the preemption timer', () => {
    const machine = guestMachine([0xeb, 0xfe], {
      'Pin-based VM-execution controls': 0x56n,
      'VMX-preemption timer value': 4n,
    });
    const cpu = machine.processor(0);
    cpu.vmlaunch();
    let steps = 0;
    while (cpu.read('guestMode') !== 0n && steps < 600) steps += Number(cpu.step() !== undefined);
    expect(steps).toBeGreaterThan(500);
    expect(readField(machine, 'Exit reason')).toBe(52n);
  });
});
