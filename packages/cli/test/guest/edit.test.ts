import { describe, expect, it } from 'vitest';
import { applyEdit, parseEdit } from '../../src/guest/edit.js';
import { failedMachine } from '../recorded.js';

const edited = (text: string) => {
  const machine = failedMachine();
  applyEdit(machine, parseEdit(machine.definition, text));
  return machine;
};

describe('--edit', () => {
  it('sets a register of any processor', () => {
    expect(edited('processor/1/RAX=0xffff_0000').readRegister(1, 'RAX')).toBe(0xffff_0000n);
  });

  it('sets and clears a bit and leaves the others', () => {
    expect(edited('CR4.VMXE=1').readRegister(0, 'CR4')).toBe(0x2020n);
    expect(edited('CR4.PAE=0').readRegister(0, 'CR4')).toBe(0n);
  });

  it('writes memory in little-endian order', () => {
    expect([...edited('[0x1000+4]=0x11223344').readMemory(0x1000, 4)]).toEqual([0x44, 0x33, 0x22, 0x11]);
  });

  it.each([
    ['RAX', 'LOCATION=NUMBER'],
    ['RAX=x', 'LOCATION=NUMBER'],
    ['BOGUS=1', 'BOGUS'],
    ['CR4.VMXE=2', '0 or 1'],
    ['[0x1000+1]=256', 'does not fit'],
    ['slice/vmx=1', 'follows from events'],
    ['vmcs:Guest RIP=1', 'no such place'],
  ])('%s is refused in words', (text, reason) => {
    expect(() => edited(text)).toThrow(reason);
  });
});
