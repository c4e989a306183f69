import { describe, expect, it } from 'vitest';
import { completed, fault } from '../../src/event/outcome.js';
import { bootedMachine, hex, machineWith } from '../support/booted-machine.js';

const PCIDE = 1n << 17n;
const refused = (rule: string) => fault('#GP', { errorCode: 0, rule: `core.invpcid.${rule}` });

describe('INVPCID', () => {
  it.each([0n, 1n, 2n, 3n])('takes type %s', (type) => {
    expect(bootedMachine().processor(0).invpcid(type, 0n, 0x1000n)).toEqual(completed());
  });

  it.each([
    ['type', 4n, 0n, 0n],
    ['reserved', 2n, 0x1000n, 0n],
    ['pcid', 0n, 1n, 0n],
    ['pcid', 1n, 1n, 0n],
    ['canonical', 0n, 0n, 1n << 60n],
  ])('is refused by %s', (rule, type, pcid, address) => {
    expect(bootedMachine().processor(0).invpcid(type, pcid, address)).toEqual(refused(rule));
  });

  it('takes any process-context identifier while CR4.PCIDE is 1 or all contexts are meant', () => {
    const cpu = bootedMachine().processor(0);
    expect(cpu.invpcid(2n, 0xfffn, 1n << 50n)).toEqual(completed());
    cpu.set('CR4', cpu.read('CR4') | PCIDE);
    expect(cpu.invpcid(0n, 0xfffn, 0n)).toEqual(completed());
  });

  it('is privileged', () => {
    const cpu = bootedMachine().processor(0);
    cpu.set('SS.attributes', 0xc0f3n);
    expect(cpu.invpcid(0n, 0n, 0n)).toEqual(refused('cpl'));
  });

  it('reads sixteen bytes of memory', () => {
    const machine = machineWith(hex('66 0f 38 82 0b')); // invpcid rcx, [rbx]
    const cpu = machine.processor(0);
    cpu.set('RBX', 0x9000n);
    machine.writeMemory(0x900f, Uint8Array.of(0x40));
    expect(cpu.step()).toMatchObject({ kind: 'shutdown', rule: 'core.invpcid.canonical' });
  });
});
