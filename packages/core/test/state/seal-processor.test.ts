// Groups of registers in sealed states: what did not change keeps its object, and wide registers are one value.
import { describe, expect, it } from 'vitest';
import { longMode } from '../../src/boot/boot-image.js';
import { createMachine } from '../../src/machine/machine.js';
import { slotOf, X87_DATA_REGISTERS, XMM_REGISTERS } from '../../src/register/register-file.js';

const ALL_ONES = (1n << 128n) - 1n;

function makeMachine() {
  return createMachine({ profile: 'intel-server', boot: longMode() });
}

describe('the registers of SSE and of the x87 FPU', () => {
  it('have the values of RESET', () => {
    const { sse, x87 } = makeMachine().processor(0).state;
    expect(sse).toMatchObject({ XMM0: 0n, XMM15: 0n, MXCSR: 0x1f80n });
    expect(x87).toMatchObject({ R0: 0n, R7: 0n, FCW: 0x40n, FSW: 0n, FTW: 0xffn, FIP: 0n, FDP: 0n });
  });

  it('are one value each, however wide', () => {
    const machine = makeMachine();
    machine.processor(0).set('XMM3', ALL_ONES - 5n);
    machine.processor(0).set('R7', 0x7fff_8000_0000_0000_0000n);
    const { sse, x87 } = machine.processor(0).state;
    expect([sse.XMM2, sse.XMM3, sse.XMM4]).toEqual([0n, ALL_ONES - 5n, 0n]);
    expect([x87.R6, x87.R7, x87.FCW]).toEqual([0n, 0x7fff_8000_0000_0000_0000n, 0x40n]);
    expect(machine.processor(0).read('XMM3')).toBe(ALL_ONES - 5n);
    expect(() => machine.processor(0).set('R7', 1n << 80n)).toThrow(/it has 80 bits/);
  });

  it('leave the objects of the other groups as they are', () => {
    const machine = makeMachine();
    const before = machine.processor(0).state;
    machine.processor(0).set('XMM3', 1n << 127n);
    const after = machine.processor(0).state;
    expect(after.sse).not.toBe(before.sse);
    for (const group of ['general', 'control', 'segments', 'x87', 'msrs'] as const)
      expect(after[group]).toBe(before[group]);
    machine.processor(0).set('XMM3', 1n << 127n);
    expect(machine.processor(0).state.sse).toBe(after.sse);
  });

  it.each([...XMM_REGISTERS, ...X87_DATA_REGISTERS])('%s lies at a multiple of 16 bytes', (name) => {
    expect(slotOf(name) % 2).toBe(0);
  });

  it('show ST(i) where the top of the stack is, and MM registers as the low bits of theirs', () => {
    const machine = makeMachine();
    machine.processor(0).set('R5', 0x3fff_8000_0000_0000_0001n);
    machine.processor(0).set('FSW', 3n << 11n);
    expect(machine.timeline().read('ST2', machine.position)).toBe(0x3fff_8000_0000_0000_0001n);
    expect(machine.timeline().read('MM5', machine.position)).toBe(0x8000_0000_0000_0001n);
    expect(machine.timeline().lastWrite('ST2', machine.position)?.position).toBe(0);
  });
});
