import { describe, expect, it } from 'vitest';
import type { Machine } from '../../src/machine/machine.js';
import { pci } from '../../src/platform/pci.js';
import { CODE, hex, machineWith } from '../support/booted-machine.js';
import { input, machineWithPorts, output } from '../support/port-access.js';

/** in eax, dx; jmp back;  out dx, eax; jmp back */
const ACCESSES = hex('ed eb fd ef eb fd');

const machineForPci = (): Machine => machineWith(ACCESSES, { plugins: [pci] });

function dword(machine: Machine, port: number, value?: number): number {
  const cpu = machine.processor(0);
  cpu.set('RIP', BigInt(CODE + (value === undefined ? 0 : 3)));
  cpu.set('RDX', BigInt(port));
  cpu.set('RAX', BigInt(value ?? 0));
  cpu.step();
  return Number(machine.readRegister(0, 'RAX'));
}

const addressOf = (device: number, offset: number, bus = 0, fn = 0): number =>
  (0x8000_0000 | (bus << 16) | (device << 11) | (fn << 8) | offset) >>> 0;

function configuration(machine: Machine, address: number): number {
  dword(machine, 0xcf8, address);
  return dword(machine, 0xcfc);
}

describe('PCI configuration mechanism #1', () => {
  it('finds a host bridge, an ISA bridge, and nobody else', () => {
    const machine = machineForPci();
    const found: string[] = [];
    for (let device = 0; device < 32; device++)
      for (let fn = 0; fn < 8; fn++) {
        const id = configuration(machine, addressOf(device, 0, 0, fn));
        if (id !== 0xffff_ffff) found.push(`${device}.${fn} ${id.toString(16)}`);
      }
    expect(found).toEqual(['0.0 12378086', '1.0 70008086']);
    expect(configuration(machine, addressOf(0, 0, 1))).toBe(0xffff_ffff);
    expect(configuration(machine, addressOf(0, 0x08)) >>> 8).toBe(0x06_0000);
    expect(configuration(machine, addressOf(1, 0x08)) >>> 8).toBe(0x06_0100);
  });

  it('keeps an address that is enabled, without the bits that it has not', () => {
    const machine = machineForPci();
    dword(machine, 0xcf8, 0xffff_ffff);
    expect(dword(machine, 0xcf8)).toBe(0x80ff_fffc);
    dword(machine, 0xcf8, 0x0000_0000);
    expect(dword(machine, 0xcfc)).toBe(0xffff_ffff);
  });

  it('reaches bytes of a register, of which it keeps what can be written', () => {
    const machine = machineWithPorts(pci);
    const select = machineForPci();
    expect(configuration(select, addressOf(1, 0x60))).toBe(0x8080_8080);
    dword(select, 0xcfc, 0x0b0a_7005);
    expect(dword(select, 0xcfc)).toBe(0x0b0a_0005);
    expect(input(machine, 0xcfc)).toBe(0xff); // nothing selected
    dword(select, 0xcfc, 0xffff_ffff);
    expect(dword(select, 0xcfc)).toBe(0x8f8f_8f8f);
    dword(select, 0xcf8, addressOf(0, 0));
    dword(select, 0xcfc, 0);
    expect(dword(select, 0xcfc)).toBe(0x1237_8086);
    expect(dword(select, 0xcfe)).toBe(0xffff_1237);
  });

  it('is shown as a view with what was changed', () => {
    const machine = machineForPci();
    configuration(machine, addressOf(1, 0x60));
    dword(machine, 0xcfc, 0x0505_0505);
    const [view] = pci.views?.['pci']?.(machine.state, machine.definition) ?? [];
    expect(view?.rows.find((row) => row[2] === '0x60')).toEqual(['00:01.0', 'ISA bridge', '0x60', '0x05050505']);
  });
});

describe('the reset control register', () => {
  it('asks for a reset when RCPU goes from 0 to 1, and leaves CONFIG_ADDRESS alone', () => {
    const machine = machineWithPorts(pci);
    const said: unknown[] = [];
    machine.emissions$.subscribe(({ type }) => void said.push(type));
    output(machine, 0xcf9, 0x02);
    expect([input(machine, 0xcf9), said.length]).toEqual([0x02, 0]);
    output(machine, 0xcf9, 0x06);
    output(machine, 0xcf9, 0x06);
    expect(said).toEqual(['machine/resetRequested']);
    expect(input(machine, 0xcf8)).toBe(0xff);
  });

  it('ends the run', () => {
    const machine = machineWith(hex('66 ba f9 0c b0 06 ee f4'), { plugins: [pci] }); // mov dx, 0xcf9; mov al, 6; out dx, al
    expect(machine.run()).toEqual({ steps: 3, stop: { reason: 'reset', device: 'reset control register' } });
  });
});
