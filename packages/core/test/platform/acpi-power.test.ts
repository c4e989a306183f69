import { beforeEach, describe, expect, it } from 'vitest';
import { NotModelled } from '../../src/error.js';
import { CYCLES_PER_SECOND } from '../../src/interrupt/virtual-time.js';
import type { Machine } from '../../src/machine/machine.js';
import { acpiPower, powerButtonPressed } from '../../src/platform/acpi-power.js';
import { hex, machineWith } from '../support/booted-machine.js';
import { input, lineRecorder, machineWithPorts, output } from '../support/port-access.js';

const [STATUS, ENABLE, CONTROL, TIMER] = [0x600, 0x602, 0x604, 0x608] as const;

let machine: Machine;
let lines: ReturnType<typeof lineRecorder>;

beforeEach(() => {
  lines = lineRecorder();
  machine = machineWithPorts(acpiPower, lines.plugin);
});

const word = (port: number) => input(machine, port) + input(machine, port + 1) * 256;

function writeWord(port: number, value: number): void {
  output(machine, port, value & 0xff);
  output(machine, port + 1, value >> 8);
}

/** Moves virtual time on, and comes to a boundary, where timers are looked at. */
function pass(seconds: number): void {
  const cpu = machine.processor(0);
  cpu.set('cycles', cpu.read('cycles') + BigInt(Math.round(seconds * CYCLES_PER_SECOND)));
  cpu.step();
}

describe('the registers PM1', () => {
  it('switch the machine off by SLP_EN with the type of S5', () => {
    // mov dx, 0x604; mov ax, 0x2000; out dx, ax; hlt
    const off = machineWith(hex('66 ba 04 06 66 b8 00 20 66 ef f4'), { plugins: [acpiPower] });
    expect(off.run()).toEqual({ steps: 3, stop: { reason: 'power-off', device: 'acpi-power' } });
  });

  it('refuse other sleeping states', () => {
    output(machine, CONTROL, 0x00);
    expect(() => output(machine, CONTROL + 1, 0x24)).toThrow(NotModelled);
  });

  it('keep their bits: SCI_EN is set, SLP_EN reads as 0', () => {
    expect(word(CONTROL)).toBe(0x0001);
    writeWord(CONTROL, 0x1c00);
    expect(word(CONTROL)).toBe(0x1c01);
    writeWord(ENABLE, 0xffff);
    expect(word(ENABLE)).toBe(0x0721);
  });

  it('interrupt when the power button is pressed, until that is answered', () => {
    machine.apply(powerButtonPressed.create({}));
    expect([word(STATUS), lines.taken()]).toEqual([0x0100, '']);
    writeWord(ENABLE, 0x0100);
    expect(lines.taken()).toBe('+9');
    writeWord(STATUS, 0x0001); // another bit
    expect(lines.taken()).toBe('');
    writeWord(STATUS, 0x0100);
    expect([word(STATUS), lines.taken()]).toEqual([0, '-9']);
  });

  it('hear of no button on a machine without them', () => {
    const without = machineWith([]);
    without.apply({ type: 'processor/registerSet', processor: 0, register: 'RAX', value: 1n });
    expect(() => without.apply(powerButtonPressed.create({}))).toThrow();
  });
});

describe('the timer of power management', () => {
  it('counts 3.579545 MHz in 24 bits', () => {
    const at = () => input(machine, TIMER) + input(machine, TIMER + 1) * 2 ** 8 + input(machine, TIMER + 2) * 2 ** 16;
    pass(1);
    expect(Math.abs(at() - 3_579_545)).toBeLessThan(5);
    pass(4);
    expect(Math.abs(at() - (5 * 3_579_545 - 2 ** 24))).toBeLessThan(5);
    expect(input(machine, TIMER + 3)).toBe(0);
  });

  it('interrupts when its highest bit changes', () => {
    writeWord(ENABLE, 0x0001);
    pass(2.34);
    expect(lines.taken()).toBe('');
    pass(0.01);
    expect([lines.taken(), word(STATUS)]).toEqual(['+9', 1]);
    writeWord(STATUS, 1);
    pass(2.35);
    expect([lines.taken(), word(STATUS)]).toEqual(['-9 +9', 1]);
  });
});
