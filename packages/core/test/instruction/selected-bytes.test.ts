// MASKMOVQ and MASKMOVDQU: which bytes they store, and what happens where some cannot be.
import { describe, expect, it } from 'vitest';
import type { Machine } from '../../src/machine/machine.js';
import { hex, machineWith } from '../support/booted-machine.js';

const DATA = 0x20_0000;
const OSFXSR = 1n << 9n;
const VALUE = 0x0f0e_0d0c_0b0a_0908_0706_0504_0302_0100n;
const MASK = 0x8000_0000_0000_00ff_7f80_0000_0000_0080n;
const UNMAPPED = 0x7fff_ffff_0000;
const [MASKMOVQ, MASKMOVDQU] = ['0f f7 c1', '66 0f f7 c1'];

function machineAt(code: string, mask: bigint, destination: number): Machine {
  const machine = machineWith(hex(code));
  const cpu = machine.processor(0);
  cpu.set('CR4', cpu.read('CR4') | OSFXSR);
  cpu.set('XMM0', VALUE);
  cpu.set('XMM1', mask);
  cpu.set('R0', VALUE & 0xffff_ffff_ffff_ffffn);
  cpu.set('R1', mask & 0xffff_ffff_ffff_ffffn);
  cpu.set('RDI', BigInt(destination));
  machine.writeMemory(DATA, new Uint8Array(32).fill(0xee));
  return machine;
}

/** Without an IDT the processor shuts down; the chain begins with what the instruction raised. */
const raised = (machine: Machine): unknown => (machine.processor(0).step() as { chain?: unknown[] }).chain?.[0];

const stored = (machine: Machine, bytes: number): string =>
  Buffer.from(machine.state.memory.read(DATA, bytes)).toString('hex');

describe('MASKMOVQ and MASKMOVDQU', () => {
  it.each([
    ['MASKMOVQ', MASKMOVQ, '00eeeeeeeeee06eeeeeeeeeeeeeeeeee'],
    ['MASKMOVDQU', MASKMOVDQU, '00eeeeeeeeee06ee08eeeeeeeeeeee0f'],
  ])('%s stores the bytes whose bit 7 in the mask is set', (_name, code, expected) => {
    const machine = machineAt(code, MASK, DATA);
    expect(machine.processor(0).step()).toMatchObject({ kind: 'completed' });
    expect(stored(machine, 16)).toBe(expected);
  });

  it('need no alignment', () => {
    const machine = machineAt(MASKMOVDQU, MASK, DATA + 3);
    expect(machine.processor(0).step()).toMatchObject({ kind: 'completed' });
    expect(stored(machine, 20)).toBe('eeeeee00eeeeeeeeee06ee08eeeeeeeeeeee0fee');
  });

  it('do not access memory where the mask selects nothing', () => {
    const machine = machineAt(MASKMOVDQU, 0x7f7fn, UNMAPPED);
    expect(machine.processor(0).step()).toMatchObject({ kind: 'completed' });
  });

  it('fault for a page that is not there', () => {
    const machine = machineAt(MASKMOVDQU, 0x80n, UNMAPPED);
    expect(raised(machine)).toMatchObject({ vector: '#PF', errorCode: 2 });
  });

  it('MASKMOVDQU is there if the operating system saves XMM registers', () => {
    const machine = machineAt(MASKMOVDQU, MASK, DATA);
    const cpu = machine.processor(0);
    cpu.set('CR4', cpu.read('CR4') & ~OSFXSR);
    expect(raised(machine)).toMatchObject({ vector: '#UD', rule: 'core.maskmovdqu.osfxsr' });
  });
});
