import { describe, expect, it } from 'vitest';
import {
  add,
  arithmeticFlags,
  condition,
  constant,
  divide,
  divideFits,
  faultIf,
  flag,
  general,
  jump,
  memory,
  not,
  setFlags,
  sub,
  write,
  zeroExtend,
} from '../../../src/expression/build.js';
import type { Effect, RegisterPlace } from '../../../src/expression/nodes.js';
import { DE, GP, PF } from '../../../src/interrupt/exceptions.js';
import { slotOf } from '../../../src/register/register-file.js';
import { Processor, type Start } from './processor.js';

const [RAX, RCX, RSP] = [general(0, 64), general(1, 64), general(4, 64)];
const AH: RegisterPlace = { kind: 'register', width: 8, index: 0, high: true };
const RIP = slotOf('RIP');
const NON_CANONICAL = 0x0000_8000_0000_0000n;

function processor(registers: Readonly<Record<number, bigint>> = {}, start: Partial<Start> = {}): Processor {
  return new Processor({
    registers: Array.from({ length: 16 }, (_, index) => registers[index] ?? 0n),
    flags: 0n,
    segmentBases: { FS: 0x7000n, GS: 0xffff_ffff_ffff_f000n },
    mode64: true,
    linearBits: 48,
    next: 0x1005n,
    ...start,
  });
}

const at = (address: bigint, width: 8 | 16 | 32 | 64 = 64) => memory(width, 'DS', constant(64, address));

describe('values', () => {
  it('are all read before anything is written: two registers are exchanged', () => {
    const cpu = processor({ 0: 1n, 1: 2n });
    cpu.run([write(RAX, RCX), write(RCX, RAX)]);
    expect([cpu.get(0), cpu.get(1)]).toEqual([2n, 1n]);
  });

  it('are read from a register that the branch, the flags or another write use as well', () => {
    const cpu = processor({ 0: 0x2000n });
    const next = add(RAX, constant(64, 8n));
    cpu.run([write(RAX, next), jump(RAX), arithmeticFlags('logic', RAX, RAX, RAX), write(RCX, RAX)]);
    expect([cpu.get(0), cpu.get(RIP), cpu.get(1)]).toEqual([0x2008n, 0x2000n, 0x2000n]);
  });

  it('computed straight into a register do not change what a later write is computed from', () => {
    const cpu = processor({ 0: 10n, 1: 20n });
    const one = constant(64, 1n);
    cpu.run([write(RAX, add(RCX, one)), write(RCX, add(RAX, one)), write(RSP, sub(RAX, one))]);
    expect([cpu.get(0), cpu.get(1), cpu.get(4)]).toEqual([21n, 11n, 9n]);
  });

  it('that are shared are evaluated once: a memory operand is loaded once', () => {
    const cpu = processor({ 0: 5n });
    const operand = at(0x3000n);
    const sum = add(RAX, operand);
    cpu.run([write(RAX, sum), arithmeticFlags('add', RAX, operand, sum), write(RCX, operand)]);
    expect(cpu.memory.log).toEqual(['load 64 at 3000']);
  });

  it('of memory that is written as well are loaded for writing, and stored to the same address', () => {
    const cpu = processor({ 0: 0x3000n, 1: 1n });
    const operand = memory(32, 'DS', RAX);
    const sum = add(operand, general(1, 32));
    cpu.run([write(RAX, RCX), write(operand, sum), arithmeticFlags('add', operand, general(1, 32), sum)]);
    expect(cpu.memory.log).toEqual(['modify 32 at 3000', 'store 32 at 3000']);
  });

  it('of a division that does not fit are harmless: the check decides', () => {
    const cpu = processor({ 0: 7n });
    const operands = [general(2, 32), general(0, 32), general(1, 32)] as const;
    const fits = divideFits(false, ...operands);
    const effect: Effect = [
      faultIf(not(fits), DE, 'core.div.quotient'),
      write(general(0, 32), divide('quotient', false, ...operands)),
    ];
    expect(cpu.run(effect)).toEqual({ ...DE, rule: 'core.div.quotient' });
    cpu.set(1, 2n);
    expect(cpu.run(effect)).toBeUndefined();
    expect(cpu.get(0)).toBe(3n);
  });
});

describe('registers', () => {
  it.each([
    [64, false, 0x1122_3344_5566_7788n],
    [32, false, 0x5566_7788n],
    [16, false, 0xffff_ffff_ffff_7788n],
    [8, false, 0xffff_ffff_ffff_ff88n],
    [8, true, 0xffff_ffff_ffff_88ffn],
  ] as const)('take %i bits (high: %s)', (width, high, expected) => {
    const cpu = processor({ 0: 0xffff_ffff_ffff_ffffn });
    cpu.run([write({ kind: 'register', index: 0, width, high }, constant(width, 0x1122_3344_5566_7788n))]);
    expect(cpu.get(0)).toBe(expected);
  });

  it('give AH and AL apart', () => {
    const cpu = processor({ 0: 0x1234n });
    cpu.run([write(general(1, 32), zeroExtend(AH, 32)), write(general(2, 32), zeroExtend(general(0, 8), 32))]);
    expect([cpu.get(1), cpu.get(2)]).toEqual([0x12n, 0x34n]);
  });
});

describe('a fault', () => {
  const readOnly = { faults: (page: bigint, isWrite: boolean) => page === 5n && isWrite };

  it('of a store leaves registers, flags and RIP', () => {
    const cpu = processor({ 0: 1n, 4: 0x5008n }, readOnly);
    const top = sub(RSP, constant(64, 8n));
    const before = cpu.seen();
    expect(
      cpu.run([
        write(RSP, top),
        write(memory(64, 'SS', top), RAX),
        setFlags({ CF: constant(1, 1n) }),
        jump(constant(64, 0x9000n)),
      ]),
    ).toEqual(PF(2, 0x5000n));
    expect({ ...cpu.seen(), log: [] }).toEqual(before);
  });

  it('of the second store comes before the first one is done', () => {
    const cpu = processor({}, readOnly);
    const effect: Effect = [write(at(0x4000n), constant(64, 1n)), write(at(0x5000n), constant(64, 2n))];
    expect(cpu.run(effect)).toEqual(PF(2, 0x5000n));
    expect(cpu.memory.bytes.size).toBe(0);
  });

  it('of a load for writing is reported as a write', () => {
    const cpu = processor({}, readOnly);
    expect(cpu.run([write(at(0x5000n), RAX)])).toEqual(PF(2, 0x5000n));
    const operand = at(0x5000n);
    expect(cpu.run([write(operand, not(operand))])).toEqual(PF(2, 0x5000n));
    expect(cpu.memory.log).toEqual(['store 64 at 5000', 'modify 64 at 5000']);
  });

  it('of faultIf comes before the stores, in whatever order the statements stand', () => {
    const cpu = processor();
    expect(cpu.run([write(at(0x4000n), RAX), faultIf(not(flag('ZF')), GP(0), 'test.rule')])).toEqual({
      ...GP(0),
      rule: 'test.rule',
    });
    expect(cpu.memory.log).toEqual([]);
  });
});

describe('a branch', () => {
  const notCanonical = { ...GP(0), rule: 'core.branch.canonical' };

  it('that is not taken goes to the next instruction', () => {
    const cpu = processor();
    cpu.run([jump(constant(64, 0x9000n), condition('E'))]);
    expect(cpu.get(RIP)).toBe(0x1005n);
    cpu.run([jump(constant(64, 0x9000n), condition('NE'))]);
    expect(cpu.get(RIP)).toBe(0x9000n);
  });

  it('to an address that is not canonical faults before its return address is stored', () => {
    const cpu = processor({ 0: NON_CANONICAL, 4: 0x8000n });
    const top = sub(RSP, constant(64, 8n));
    expect(cpu.run([write(memory(64, 'SS', top), constant(64, 0x1005n)), write(RSP, top), jump(RAX)])).toEqual(
      notCanonical,
    );
    expect(cpu.memory.log).toEqual([]);
    expect(cpu.get(4)).toBe(0x8000n);
  });

  it.each([
    [48, 0x7fff_ffff_ffffn, true],
    [48, 0xffff_8000_0000_0000n, true],
    [48, 0xffff_7fff_ffff_ffffn, false],
    [57, NON_CANONICAL, true],
    [57, 0x0100_0000_0000_0000n, false],
  ] as const)('checks %i bits: %s', (linearBits, target, isCanonical) => {
    for (const operand of [constant(64, target), RAX]) {
      const cpu = processor({ 0: target }, { linearBits });
      expect(cpu.run([jump(operand)])).toEqual(isCanonical ? undefined : notCanonical);
      expect(cpu.get(RIP)).toBe(isCanonical ? target : 0n);
    }
  });

  it('is not checked where it is not taken, nor outside 64-bit mode', () => {
    expect(processor().run([jump(constant(64, NON_CANONICAL), flag('CF'))])).toBeUndefined();
    expect(processor({}, { mode64: false }).run([jump(constant(64, NON_CANONICAL))])).toBeUndefined();
  });

  it('is what changes RIP: no other effect does', () => {
    const cpu = processor();
    cpu.set(RIP, 0x1000n);
    cpu.run([write(RAX, RCX)]);
    cpu.run([]);
    expect(cpu.get(RIP)).toBe(0x1000n);
  });
});

describe('an address', () => {
  it('gets the base of FS or GS in 64-bit mode, after the offset wrapped at the address size', () => {
    const cpu = processor({ 0: 0xffff_fff0n });
    const wrapped = zeroExtend(add(general(0, 32), constant(32, 0x20n)), 64);
    cpu.run([
      write(RCX, memory(64, 'FS', wrapped)),
      write(RCX, memory(64, 'DS', wrapped)),
      write(RCX, memory(64, 'GS', add(RAX, constant(64, 0x20n)))),
    ]);
    expect(cpu.memory.log).toEqual(['load 64 at 7010', 'load 64 at 10', 'load 64 at fffff010']);
  });

  it('is asked of segmentation once for a load and its store outside 64-bit mode, as a write', () => {
    const cpu = processor({}, { mode64: false });
    const operand = memory(16, 'DS', constant(64, 0x10n));
    cpu.run([write(operand, not(operand))]);
    expect(cpu.memory.log).toEqual(['modify 16 at 300040', 'store 16 at 300040']);
    const code = memory(16, 'CS', constant(64, 0x10n));
    expect(cpu.run([write(code, not(code))])).toEqual({ ...GP(0), rule: 'test.segment' });
    expect(cpu.run([write(general(0, 16), code)])).toBeUndefined();
  });
});
