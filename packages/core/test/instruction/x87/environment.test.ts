import { describe, expect, it } from 'vitest';
import { rawImage } from '../../../src/boot/boot-image.js';
import { createMachine, type Machine } from '../../../src/machine/machine.js';
import { hex, machineWith } from '../../support/booted-machine.js';

const DATA = 0x20_0000;

function machine(code: string): Machine {
  const made = machineWith(hex(code));
  const cpu = made.processor(0);
  cpu.set('RDI', BigInt(DATA));
  cpu.set('FCW', 0x37bn);
  cpu.set('FSW', 0x3984n | 0x8000n); // the top is R7
  cpu.set('FTW', 0b1000_0111n);
  cpu.set('R7', 0x3fff_8000_0000_0000_0000n); // 1: valid
  cpu.set('R0', 0n); // zero
  cpu.set('R1', 1n); // a denormal: special
  cpu.set('R2', 0x7fff_8000_0000_0000_0000n); // infinity: special
  cpu.set('FOP', 0x123n);
  cpu.set('FIP', 0x9_8765_4321n);
  cpu.set('FDP', 0xabcd_ef01n);
  return made;
}

const words = (made: Machine, count: number, bytes: 2 | 4): string[] => {
  const view = new DataView(made.readMemory(DATA, count * bytes).slice().buffer);
  return Array.from({ length: count }, (_, index) =>
    (bytes === 2 ? view.getUint16(index * 2, true) : view.getUint32(index * 4, true)).toString(16),
  );
};

describe('FNSTENV', () => {
  it('stores seven doublewords and masks all exceptions', () => {
    const made = machine('d9 37');
    made.step(0, 1);
    expect(words(made, 7, 4)).toEqual([
      'ffff037b',
      'ffffb984',
      'ffff3fe9',
      '87654321',
      '1230000',
      'abcdef01',
      'ffff0000',
    ]);
    expect(made.processor(0).read('FCW')).toBe(0x37fn);
    expect(made.processor(0).read('FSW')).toBe(0x3904n);
  });

  it('stores seven words with an operand-size prefix', () => {
    const made = machine('66 d9 37');
    made.step(0, 1);
    expect(words(made, 7, 2)).toEqual(['37b', 'b984', '3fe9', '4321', '0', 'ef01', '0']);
  });

  it('changes nothing if the memory cannot be written', () => {
    const made = machine('d9 37');
    made.processor(0).set('RDI', 1n << 50n);
    expect(made.step(0, 1)).toMatchObject({ kind: 'shutdown', rule: 'core.linear-address.canonical' }); // there is no IDT
    expect(made.processor(0).read('FCW')).toBe(0x37bn);
  });
});

describe('FNSAVE and FRSTOR', () => {
  it('store the registers from the top on, initialize, and bring all of it back', () => {
    const made = machine('dd 37 dd 27');
    const cpu = made.processor(0);
    const state = () => ['FCW', 'FSW', 'FTW', 'R7', 'R0', 'R1', 'R2', 'FOP'].map((register) => cpu.read(register));
    const before = state();
    made.step(0, 1);
    expect([cpu.read('FCW'), cpu.read('FSW'), cpu.read('FTW')]).toEqual([0x37fn, 0n, 0n]);
    expect([...made.readMemory(DATA + 28, 10)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0x80, 0xff, 0x3f]);
    for (const register of ['R7', 'R0', 'R1', 'R2']) cpu.set(register, 0x55n);
    made.step(0, 1);
    expect(state()).toEqual(before);
    expect(cpu.read('FIP')).toBe(0x8765_4321n); // 32 bits of it are in the image
  });
});

describe('FNSTENV in real-address mode', () => {
  const inRealMode = (code: string): Machine => {
    const made = createMachine({
      profile: 'amd-server',
      memory: 2 ** 20,
      boot: rawImage({ bytes: Uint8Array.from(hex(code)), mode: 'real', load: 0x7c00, entry: 0x7c00 }),
    });
    const cpu = made.processor(0);
    cpu.set('RBX', 0x500n); // the operand is [BX]
    for (const [register, value] of [
      ['FCW', 0x37fn],
      ['FOP', 0x123n],
      ['FCS', 0x2000n],
      ['FIP', 0x4567n],
      ['FDS', 0x1000n],
      ['FDP', 0xf234n],
    ] as const)
      cpu.set(register, value);
    return made;
  };
  const stored = (code: string, bytes: number): string => {
    const made = inRealMode(code);
    made.step(0, 1);
    return Buffer.from(made.readMemory(0x500, bytes)).toString('hex');
  };

  it('splits 20-bit linear addresses over two words', () => {
    expect(stored('d9 37', 14)).toBe('7f03000055556745232134f20010');
  });

  it('splits 32-bit linear addresses over two doublewords', () => {
    expect(stored('66 d9 37', 28)).toBe('7f03ffff0000ffff5555ffff6745ffff2321000034f2ffff00100000');
  });
});
