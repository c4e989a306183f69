// Runs and how they end.
import { describe, expect, it } from 'vitest';
import { CODE, hex, machineWith } from '../support/booted-machine.js';

describe('a run', () => {
  it('that takes no step does not end as the one before it', () => {
    const machine = machineWith(hex('f4'), { processors: 2 });
    expect(machine.step(0).kind).toBe('halted');
    expect([machine.step(0).kind, machine.step(1).kind]).toEqual(['completed', 'completed']);
  });

  it('fetches from a code segment that cannot be read', () => {
    const machine = machineWith(hex('90'));
    const cpu = machine.processor(0);
    cpu.set('CS.attributes', 0xc099n); // 32-bit code in compatibility mode, execute-only
    expect(cpu.step()).toEqual({ kind: 'completed' });
    expect(cpu.read('RIP')).toBe(BigInt(CODE + 1));
  });
});
