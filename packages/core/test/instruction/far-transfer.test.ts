// RET to an outer privilege level, with parameters on both stacks.
import { describe, expect, it } from 'vitest';
import { hex, machineWith } from '../support/booted-machine.js';

const GDT = 0x20_0000;
const USER_CODE = 0x00af_fb00_0000_ffffn;
const USER_DATA = 0x00cf_f300_0000_ffffn;
const STACK = 0x30_0000;
const quad = (value: bigint): number[] =>
  Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));

describe('a far RET to an outer level', () => {
  it('finds RSP and SS above as many bytes as it releases, whether or not they fill a slot', () => {
    const machine = machineWith(hex('48 ca 02 00')); // retfq 2
    const cpu = machine.processor(0);
    machine.writeMemory(GDT + 8, Uint8Array.from([...quad(USER_CODE), ...quad(USER_DATA)]));
    cpu.set('GDTR.base', BigInt(GDT));
    const target = [...quad(0x40_0000n), ...quad(0x0bn)];
    machine.writeMemory(STACK, Uint8Array.from([...target, 0xaa, 0xaa, ...quad(0x50_0000n), ...quad(0x13n)]));
    cpu.set('RSP', BigInt(STACK));
    expect(cpu.step()).toEqual({ kind: 'completed' });
    expect([cpu.read('RIP'), cpu.read('RSP'), cpu.read('SS.selector')]).toEqual([0x40_0000n, 0x50_0002n, 0x13n]);
  });
});
