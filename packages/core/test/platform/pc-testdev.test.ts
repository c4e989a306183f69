import { describe, expect, it } from 'vitest';
import { pcTestdev } from '../../src/platform/pc-testdev.js';
import { hex, machineWith } from '../support/booted-machine.js';
import { input, lineRecorder, machineWithPorts, output } from '../support/port-access.js';

describe("QEMU's pc-testdev", () => {
  it('drives the interrupt line of each port', () => {
    const lines = lineRecorder();
    const machine = machineWithPorts(pcTestdev, lines.plugin);
    output(machine, 0x2000, 1);
    output(machine, 0x2017, 1);
    output(machine, 0x2000, 0);
    expect(lines.taken()).toBe('+0 +23 -0');
  });

  it('has a register of four bytes, which a port of one byte shares', () => {
    const machine = machineWithPorts(pcTestdev);
    [0x11, 0x22, 0x33, 0x44].forEach((byte, index) => void output(machine, 0xe0 + index, byte));
    expect([0xe0, 0xe1, 0xe2, 0xe3].map((port) => input(machine, port))).toEqual([0x11, 0x22, 0x33, 0x44]);
    output(machine, 0xe8, 0x55);
    expect(input(machine, 0xe0)).toBe(0x55);
  });

  it('takes words and doublewords at its register', () => {
    // mov eax, 0x87654321; out 0xe0, eax; mov ax, 0x9abc; out 0xe1, ax; xor eax, eax; in eax, 0xe0; mov ecx, eax; in ax, 0xe2
    const code = hex('b8 21 43 65 87 e7 e0 66 b8 bc 9a 66 e7 e1 31 c0 e5 e0 89 c1 66 e5 e2');
    const machine = machineWith(code, { plugins: [pcTestdev] });
    machine.processor(0).step(8);
    expect(machine.readRegister(0, 'RCX')).toBe(0x879a_bc21n);
    expect(machine.readRegister(0, 'RAX') & 0xffffn).toBe(0x879an);
  });

  it('has memory behind which is a device, in every width', () => {
    // mov edi, 0xff000ffe; mov rax, 0x1122334455667788; mov [rdi], rax; mov byte [rdi+1], 0x99; mov rbx, [rdi]; mov ecx, [rdi+8]
    const code = hex('bf fe 0f 00 ff 48 b8 88 77 66 55 44 33 22 11 48 89 07 c6 47 01 99 48 8b 1f 8b 4f 08');
    const machine = machineWith(code, { plugins: [pcTestdev] });
    machine.processor(0).step(6);
    expect(machine.readRegister(0, 'RBX')).toBe(0x1122_3344_5566_9988n);
    expect(machine.readRegister(0, 'RCX')).toBe(0n);
  });
});
