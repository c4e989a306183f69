import { describe, expect, it } from 'vitest';
import { systemControlPort } from '../../src/platform/system-control-port.js';
import { input, machineWithPorts, output } from '../support/port-access.js';

const PORT = 0x92;

describe('system control port A', () => {
  it('shows and switches the A20 gate', () => {
    const machine = machineWithPorts(systemControlPort);
    expect(input(machine, PORT)).toBe(0x02);
    output(machine, PORT, 0x00);
    expect(input(machine, PORT)).toBe(0x00);
    output(machine, PORT, 0x02);
    expect(input(machine, PORT)).toBe(0x02);
  });

  it('asks for a reset when its bit 0 goes from 0 to 1', () => {
    const machine = machineWithPorts(systemControlPort);
    const said: unknown[] = [];
    machine.emissions$.subscribe((emission) => void said.push(emission));
    output(machine, PORT, 0x03);
    output(machine, PORT, 0x03);
    expect(said).toEqual([expect.objectContaining({ type: 'machine/resetRequested', device: 'system control port' })]);
    expect(input(machine, PORT)).toBe(0x03);
    output(machine, PORT, 0x02);
    output(machine, PORT, 0x03);
    expect(said).toHaveLength(2);
  });
});
