// LAR, LSL, VERR, VERW and ARPL: what can be seen, from which level.
import { describe, expect, it } from 'vitest';
import type { Machine } from '../../src/machine/machine.js';
import { CODE, hex, machineWith } from '../support/booted-machine.js';
import { gateOf, protectedMachine, SELECTOR, writeDescriptor } from '../support/protected-machine.js';

const LAR = '0f 02 d8'; // lar ebx, eax
const LSL = '0f 03 d8';
const VERR = '0f 00 e0';
const VERW = '0f 00 e8';
const UNTOUCHED = 0x5555_5555n;

/** EBX and ZF after the instruction, with a selector in EAX. */
function query(code: string, selector: number, cpl: 0 | 3 = 0): { value: bigint; found: boolean } {
  const machine = protectedMachine(code, cpl);
  writeDescriptor(machine, SELECTOR.gate, gateOf({ type: 0xe }));
  const cpu = machine.processor(0);
  cpu.set('RAX', BigInt(selector));
  cpu.set('RBX', UNTOUCHED);
  expect(cpu.step()).toEqual({ kind: 'completed' });
  return { value: cpu.read('RBX'), found: (cpu.read('RFLAGS') & 0x40n) !== 0n };
}

describe('LAR and LSL', () => {
  it('load access rights and limit', () => {
    expect(query(LAR, SELECTOR.code3 | 3, 3)).toEqual({ value: 0xcf_fb00n, found: true });
    expect(query(LSL, SELECTOR.code3 | 3, 3)).toEqual({ value: 0xffff_ffffn, found: true });
    expect(query(LSL, SELECTOR.shortCode)).toEqual({ value: 0xfffn, found: true });
    expect(query(LAR, SELECTOR.absentCode).found).toBe(true);
  });

  it.each([
    ['a null selector', 3, 0],
    ['a selector beyond the GDT', SELECTOR.beyond, 0],
    ['a DPL below CPL', SELECTOR.data0, 3],
    ['a DPL below RPL', SELECTOR.data0 | 3, 0],
    ['an interrupt gate', SELECTOR.gate, 0],
  ] as const)('clear ZF and leave the register for %s', (_what, selector, cpl) => {
    for (const code of [LAR, LSL]) expect(query(code, selector, cpl)).toEqual({ value: UNTOUCHED, found: false });
  });

  it('see conforming code from every level', () => {
    expect(query(LAR, SELECTOR.conforming | 3, 3).found).toBe(true);
  });
});

describe('VERR and VERW', () => {
  it.each([
    ['data', SELECTOR.data0, true, true],
    ['read-only data', SELECTOR.readOnly, true, false],
    ['readable code', SELECTOR.code0, true, false],
    ['a gate', SELECTOR.gate, false, false],
    ['nothing', 0, false, false],
  ])('of %s', (_what, selector, readable, writable) => {
    expect([query(VERR, selector).found, query(VERW, selector).found]).toEqual([readable, writable]);
  });
});

describe('ARPL', () => {
  it.each([
    [0x10n, 3n, 0x13n, true],
    [0x13n, 1n, 0x13n, false],
  ])('of %s and %s', (selector, rpl, result, raised) => {
    const cpu = protectedMachine('63 d8').processor(0); // arpl ax, bx
    cpu.set('RAX', selector);
    cpu.set('RBX', rpl);
    cpu.step();
    expect([cpu.read('RAX'), (cpu.read('RFLAGS') & 0x40n) !== 0n]).toEqual([result, raised]);
  });
});

describe('in real-address mode', () => {
  const real = (code: string): Machine =>
    machineWith([], {
      boot: { mode: 'real', segments: [{ address: 0x7c00, bytes: Uint8Array.from(hex(code)) }], entry: 0x7c00 },
    });

  it.each([
    ['lar', LAR],
    ['lsl', LSL],
    ['verr', VERR],
    ['verw', VERW],
    ['arpl', '63 d8'],
  ])('%s is not recognised', (name, code) => {
    expect(real(code).processor(0).step()).toMatchObject({ vector: '#UD', rule: `core.${name}.mode` });
  });
});

describe('far pointers and other instructions that 64-bit mode lacks', () => {
  it('LES and LSS load a segment and a register', () => {
    const machine = protectedMachine('c4 1d 00 00 30 00 0f b2 25 00 00 30 00');
    machine.writeMemory(0x30_0000, Uint8Array.of(0x78, 0x56, 0x34, 0x12, SELECTOR.data0, 0));
    const cpu = machine.processor(0);
    expect(cpu.step(2)).toEqual({ kind: 'completed' });
    expect(['RBX', 'ES.selector', 'RSP', 'SS.selector'].map((name) => cpu.read(name))).toEqual([
      0x1234_5678n,
      BigInt(SELECTOR.data0),
      0x1234_5678n,
      BigInt(SELECTOR.data0),
    ]);
  });

  it('a far pointer with a bad selector leaves both as they were', () => {
    const machine = protectedMachine('c4 1d 00 00 30 00');
    machine.writeMemory(0x30_0000, Uint8Array.of(0x78, 0x56, 0x34, 0x12, 0, 1));
    const { chain } = machine.processor(0).step() as { chain?: readonly unknown[] };
    expect(chain?.[0]).toMatchObject({ vector: '#GP', errorCode: 0x100, rule: 'core.segment-load.limit' });
    expect([machine.processor(0).read('RBX'), machine.processor(0).read('RIP')]).toEqual([0n, BigInt(CODE)]);
  });

  it('PUSHA stores the old stack pointer, and POPA skips it', () => {
    const machine = protectedMachine('60 61');
    const cpu = machine.processor(0);
    for (const [index, name] of ['RAX', 'RCX', 'RDX', 'RBX', 'RBP', 'RSI', 'RDI'].entries())
      cpu.set(name, BigInt(index + 1));
    cpu.step();
    const stored = new Uint32Array(machine.readMemory(Number(cpu.read('RSP')), 32).slice().buffer);
    expect([...stored]).toEqual([7, 6, 5, 0x6000, 4, 3, 2, 1]);
    machine.writeMemory(Number(cpu.read('RSP')), new Uint8Array(32).fill(0x11));
    cpu.step();
    expect(['RAX', 'RDI', 'RSP'].map((name) => cpu.read(name))).toEqual([0x1111_1111n, 0x1111_1111n, 0x6000n]);
  });

  it.each([
    ['the lower bound', 0xffff_fffen, false],
    ['the upper bound', 5n, false],
    ['below', 0xffff_fffdn, true],
    ['above', 6n, true],
  ])('BOUND with an index at %s', (_what, index, refused) => {
    const machine = protectedMachine('62 05 00 00 30 00'); // bound eax, [300000H]
    machine.writeMemory(0x30_0000, Uint8Array.of(0xfe, 0xff, 0xff, 0xff, 5, 0, 0, 0));
    machine.processor(0).set('RAX', index);
    const outcome = machine.processor(0).step();
    if (!refused) expect(outcome).toEqual({ kind: 'completed' });
    else
      expect((outcome as { chain?: readonly unknown[] }).chain?.[0]).toMatchObject({
        vector: '#BR',
        rule: 'core.bound.range',
      });
  });
});
