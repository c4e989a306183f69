// Delivery in real-address mode by SP, and by ESP where SS.B is 1.
import { describe, expect, it } from 'vitest';
import { rawImage } from '../../src/boot/boot-image.js';
import { createMachine } from '../../src/machine/machine.js';
import { hex } from '../support/booted-machine.js';

function afterInterrupt(stack: Readonly<Record<string, bigint>>) {
  const boot = rawImage({ bytes: Uint8Array.from(hex('cd 40')), mode: 'real', load: 0x7c00 }); // INT 40H
  const machine = createMachine({ profile: 'intel-server', boot });
  const cpu = machine.processor(0);
  machine.writeMemory(0x40 * 4, Uint8Array.of(0x34, 0x12, 0, 0x20));
  for (const [name, value] of Object.entries({ RFLAGS: 0x202n, ...stack })) cpu.set(name, value);
  cpu.step();
  const pushed = (linear: number) => [...machine.readMemory(linear, 6)];
  return { cpu, pushed };
}

describe('an interrupt in real-address mode', () => {
  it('pushes below SP, which wraps at 64 KBytes', () => {
    const { cpu, pushed } = afterInterrupt({ RSP: 0x5_0000n, 'SS.base': 0x3_0000n });
    expect([cpu.read('RSP'), cpu.read('CS.base'), cpu.read('RIP')]).toEqual([0x5_fffan, 0x2_0000n, 0x1234n]);
    expect(pushed(0x3_fffa)).toEqual([0x02, 0x7c, 0, 0, 0x02, 0x02]);
  });

  it('pushes below ESP with the SS.B that protected mode left behind', () => {
    const big = { RSP: 0x5_0000n, 'SS.limit': 0xffff_ffffn, 'SS.attributes': 0xc093n };
    const { cpu, pushed } = afterInterrupt(big);
    expect(cpu.read('RSP')).toBe(0x4_fffan);
    expect(pushed(0x4_fffa)).toEqual([0x02, 0x7c, 0, 0, 0x02, 0x02]);
  });
});
