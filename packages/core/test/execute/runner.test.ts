// Runs and how they end.
import { describe, expect, it } from 'vitest';
import { CODE, hex, machineWith } from '../support/booted-machine.js';

describe('a run', () => {
  it('that takes no step does not end as the one before it', () => {
    const machine = machineWith(hex('f4'), { processors: 2 });
    expect(machine.step(0).kind).toBe('halted');
    expect([machine.step(0).kind, machine.step(1).kind]).toEqual(['completed', 'completed']);
  });

  it('goes on at 0 after a branch that is not taken at the end of 32-bit code', () => {
    const machine = machineWith([]);
    machine.writeMemory(0x6ff8, Uint8Array.of(0x87, 0, 0x20, 0)); // the last 2 MiB below 4 GiB
    machine.writeMemory(0x3f_fffe, Uint8Array.from(hex('72 00'))); // jc
    const cpu = machine.processor(0);
    cpu.set('CS.attributes', 0xc09bn);
    cpu.set('RIP', 0xffff_fffen);
    expect(cpu.step()).toEqual({ kind: 'completed' });
    expect(cpu.read('RIP')).toBe(0n);
  });

  it('fetches from a code segment that cannot be read', () => {
    const machine = machineWith(hex('90'));
    const cpu = machine.processor(0);
    cpu.set('CS.attributes', 0xc099n); // 32-bit code in compatibility mode, execute-only
    expect(cpu.step()).toEqual({ kind: 'completed' });
    expect(cpu.read('RIP')).toBe(BigInt(CODE + 1));
  });
});
