// The A20 gate as a device moves it: a port here, where the keyboard controller or port 92H stand on a PC.
import { describe, expect, it } from 'vitest';
import { isA20GateOpen, setA20Gate } from '../../src/memory/a20.js';
import { definePlugin } from '../../src/plugin/define.js';
import { hex, machineWith } from '../support/booted-machine.js';

const gate = definePlugin({
  name: 'gate',
  version: '1.0.0',
  apiVersion: 1,
  ports: [
    {
      first: 0x92,
      last: 0x92,
      read: (cpu) => (isA20GateOpen(cpu.draft) ? 2 : 0),
      write: (cpu, _port, value) => setA20Gate(cpu.draft, (value & 2) !== 0),
    },
  ],
});

describe('the A20 gate', () => {
  it('masks bit 20 from the next access on, and the state remembers it', () => {
    // mov rax, [rbx]; out 92h, al (0); mov rcx, [rbx]; in al, 92h, from code that lies below 1 MiB
    const machine = machineWith([], { plugins: [gate] });
    const cpu = machine.processor(0);
    machine.writeMemory(0x8_0000, Uint8Array.from(hex('48 8b 03  31 c0  e6 92  48 8b 0b  e4 92')));
    machine.writeMemory(0x15_0000, Uint8Array.of(0x11));
    machine.writeMemory(0x5_0000, Uint8Array.of(0x22));
    cpu.set('RIP', 0x8_0000n);
    cpu.set('RBX', 0x15_0000n);
    cpu.step();
    expect(cpu.read('RAX')).toBe(0x11n);
    for (let step = 0; step < 4; step++) cpu.step();
    expect([cpu.read('RCX'), cpu.read('RAX'), cpu.read('A20M')]).toEqual([0x22n, 0n, 1n]);
    expect(machine.fork(machine.position).readRegister(0, 'A20M')).toBe(1n);
  });
});
