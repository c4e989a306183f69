// #AC: data accesses of user programs under CR0.AM and RFLAGS.AC (SDM, "Alignment Check Exception (#AC)").
import { describe, expect, it } from 'vitest';
import type { Machine } from '../../src/machine/machine.js';
import { protectedMachine, writeGate } from '../support/protected-machine.js';

const AM = 1n << 18n;
const AC = 1n << 18n;
const DATA = 0x8000;

function userMachine(code: string, offset: number, cpl: 0 | 3 = 3): Machine {
  const machine = protectedMachine(code, cpl);
  const cpu = machine.processor(0);
  for (const vector of [14, 17]) writeGate(machine, vector, {});
  cpu.set('CR0', cpu.read('CR0') | AM);
  cpu.set('RFLAGS', 2n | AC);
  cpu.set('RBX', BigInt(DATA + offset));
  return machine;
}

const misaligned = { kind: 'fault', vector: '#AC', errorCode: 0, rule: 'core.alignment-check.operand' };
const completed = { kind: 'completed' };

describe('the alignment check', () => {
  it.each([
    ['a byte', '8a 03', 1, false],
    ['a word', '66 8b 03', 1, true],
    ['a word at an even address', '66 8b 03', 2, false],
    ['a doubleword', '8b 03', 2, true],
    ['a store', '89 03', 1, true],
    ['a read-modify-write', 'ff 03', 1, true],
    ['a locked one', 'f0 ff 03', 1, true],
    ['8 bytes at a multiple of 4', '0f c7 0b', 4, true],
    ['8 bytes', '0f c7 0b', 8, false],
    ['a selector', '8e 1b', 1, true],
    ['a string', 'a5', 0, false],
  ])('looks at %s', (_what, code, offset, refused) => {
    const machine = userMachine(code, offset);
    machine.processor(0).set('RSI', BigInt(DATA));
    machine.processor(0).set('RDI', BigInt(DATA));
    expect(machine.processor(0).step()).toMatchObject(refused ? misaligned : completed);
  });

  it('looks at every access to a page, not only at the first', () => {
    const machine = userMachine('8b 43 04 8b 43 01', 0);
    expect(machine.processor(0).step()).toEqual(completed);
    expect(machine.processor(0).step()).toMatchObject(misaligned);
  });

  it('looks at the stack', () => {
    const machine = userMachine('50', 0);
    machine.processor(0).set('RSP', 0x5002n);
    expect(machine.processor(0).step()).toMatchObject(misaligned);
  });

  it('needs RFLAGS.AC, CR0.AM and CPL 3', () => {
    const [supervisor, flag, mask] = [userMachine('8b 03', 1, 0), userMachine('8b 03', 1), userMachine('8b 03', 1)];
    flag.processor(0).set('RFLAGS', 2n);
    mask.processor(0).set('CR0', 0x11n);
    for (const machine of [supervisor, flag, mask]) expect(machine.processor(0).step()).toEqual(completed);
  });

  it('begins and ends with RFLAGS.AC, whatever was accessed before', () => {
    // mov eax, [ebx]; pushfd; or dword [esp], 40000h; popfd; mov eax, [ebx]
    const machine = userMachine('8b 03 9c 81 0c 24 00 00 04 00 9d 8b 03', 1);
    const cpu = machine.processor(0);
    cpu.set('RFLAGS', 2n);
    for (let step = 0; step < 4; step++) expect(cpu.step()).toEqual(completed);
    expect(cpu.step()).toMatchObject(misaligned);
  });

  it('leaves alone what the processor itself reads: the descriptor of a segment', () => {
    const machine = userMachine('8e d8', 0);
    machine.processor(0).set('GDTR.base', 0x2_0000n);
    machine.processor(0).set('RAX', 0x23n);
    expect(machine.processor(0).step()).toEqual(completed);
  });
});
