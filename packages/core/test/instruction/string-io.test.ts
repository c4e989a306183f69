// INS and OUTS: the order of checks and accesses, and repetition in the function form.
import { describe, expect, it } from 'vitest';
import type { Machine } from '../../src/machine/machine.js';
import { definePlugin } from '../../src/plugin/define.js';
import { CODE, hex, machineWith } from '../support/booted-machine.js';

const PORT = 0x510;
const DATA = 0x40_0000;

/** A port that counts up when it is read and keeps what is written to it. */
function portMachine(code: string): { machine: Machine; written: number[]; reads: () => number } {
  const written: number[] = [];
  let next = 0;
  const counter = definePlugin({
    name: 'counter',
    version: '1.0.0',
    apiVersion: 1,
    ports: [{ first: PORT, last: PORT, read: () => ++next, write: (_cpu, _port, value) => void written.push(value) }],
    intercepts: { exception: (_cpu, raised) => ({ ...raised, kind: 'test/raised' }) },
  });
  const machine = machineWith(hex(code), { plugins: [counter] });
  const cpu = machine.processor(0);
  for (const [name, value] of [
    ['RDX', BigInt(PORT)],
    ['RSI', BigInt(DATA)],
    ['RDI', BigInt(DATA)],
    ['RCX', 3n],
  ] as const)
    cpu.set(name, value);
  return { machine, written, reads: () => next };
}

/** CPL 3, and a TSS too short for an I/O permission bit map. */
function withoutPermission(machine: Machine): void {
  machine.processor(0).set('SS.attributes', 0xc0f3n);
  machine.processor(0).set('TR.limit', 0n);
}

const registers = (machine: Machine, ...names: string[]) => names.map((name) => machine.readRegister(0, name));

describe('REP OUTS', () => {
  it('writes one element a step, from where RSI points, and stays at its address until it is done', () => {
    const { machine, written } = portMachine('f3 66 6f');
    machine.writeMemory(DATA, Uint8Array.of(1, 2, 3, 4, 5, 6));
    const addresses = [1, 2, 3].map(() => {
      machine.step(0, 1);
      return machine.readRegister(0, 'RIP');
    });
    expect(written).toEqual([0x0201, 0x0403, 0x0605]);
    expect(addresses).toEqual([BigInt(CODE), BigInt(CODE), BigInt(CODE + 3)]);
    expect(registers(machine, 'RCX', 'RSI')).toEqual([0n, BigInt(DATA + 6)]);
  });

  it('with a count of 0 checks nothing', () => {
    const { machine, written } = portMachine('f3 6e');
    machine.processor(0).set('RCX', 0n);
    withoutPermission(machine);
    expect(machine.step(0, 1)).toEqual({ kind: 'completed' });
    expect(written).toEqual([]);
  });
});

describe('REP INS', () => {
  it('goes down where DF is 1', () => {
    const { machine } = portMachine('f3 6c');
    machine.processor(0).set('RFLAGS', 0x402n);
    machine.step(0, 3);
    expect([...machine.readMemory(DATA - 2, 3)]).toEqual([3, 2, 1]);
    expect(registers(machine, 'RCX', 'RDI')).toEqual([0n, BigInt(DATA - 3)]);
  });

  it('counts and moves with ECX and EDI under a 67H prefix', () => {
    const { machine } = portMachine('67 f3 6c');
    machine.processor(0).set('RCX', 0x1_0000_0001n);
    machine.step(0, 1);
    expect(registers(machine, 'RCX', 'RDI', 'RIP')).toEqual([0n, BigInt(DATA + 1), BigInt(CODE + 3)]);
  });

  it('does not read the port where the store would fault', () => {
    const { machine, reads } = portMachine('f3 6c');
    machine.writeMemory(0x3018, new Uint8Array(8)); // 6 MiB is not mapped
    machine.processor(0).set('RDI', 0x5f_ffffn);
    machine.step(0, 1);
    expect(machine.step(0, 1)).toMatchObject({ vector: '#PF', address: 0x60_0000n });
    expect(reads()).toBe(1);
    expect(registers(machine, 'RCX', 'RDI', 'RIP')).toEqual([2n, 0x60_0000n, BigInt(CODE)]);
  });

  it('needs permission for the port before it looks at memory', () => {
    const { machine, reads } = portMachine('f3 6c');
    withoutPermission(machine);
    machine.processor(0).set('RDI', 0x8000_0000_0000n);
    expect(machine.step(0, 1)).toMatchObject({ vector: '#GP', rule: 'core.insb.permission' });
    expect(reads()).toBe(0);
  });
});
