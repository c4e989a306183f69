import { describe, expect, it } from 'vitest';
import {
  add,
  arithmeticFlags,
  condition,
  constant,
  endIf,
  flag,
  general,
  isZero,
  jump,
  memory,
  mul,
  setFlags,
  sub,
  write,
  zeroExtend,
} from '../../src/expression/build.js';
import { readsOf, writesOf } from '../../src/expression/check.js';

const [RAX, RBX, RSP] = [general(0, 64), general(3, 64), general(4, 64)];
const STATUS = ['CF', 'PF', 'AF', 'ZF', 'SF', 'OF'];

describe('readsOf and writesOf', () => {
  it('of ADD with memory: both operands, the registers of the address, the status flags', () => {
    const source = memory(64, 'DS', add(RBX, mul(general(6, 64), constant(64, 8n))));
    const sum = add(RAX, source);
    const effect = [write(RAX, sum), arithmeticFlags('add', RAX, source, sum)];
    expect(readsOf(effect).registers.map(({ index }) => index)).toEqual([0, 3, 6]);
    expect(readsOf(effect).memory).toEqual([source]);
    expect([...readsOf(effect).flags]).toEqual([]);
    expect(writesOf(effect)).toMatchObject({ registers: [RAX], memory: [], rip: false });
    expect([...writesOf(effect).flags]).toEqual(STATUS);
  });

  it('of PUSH: the stack pointer is read for the address of what is written', () => {
    const top = sub(RSP, constant(64, 8n));
    const slot = memory(64, 'SS', top);
    const effect = [write(slot, RAX), write(RSP, top)];
    expect(readsOf(effect)).toMatchObject({ registers: [RAX, RSP], memory: [] });
    expect(writesOf(effect)).toMatchObject({ registers: [RSP], memory: [slot] });
  });

  it('of INC: CF is not written', () => {
    const effect = [arithmeticFlags('inc', RAX, constant(64, 1n), add(RAX, constant(64, 1n)))];
    expect([...writesOf(effect).flags]).toEqual(STATUS.filter((name) => name !== 'CF'));
  });

  it('of a conditional branch: the flags of the condition, and RIP', () => {
    const effect = [jump(constant(64, 0x1000n), condition('LE')), setFlags({ DF: flag('CF') })];
    expect([...readsOf(effect).flags].sort()).toEqual(['CF', 'OF', 'SF', 'ZF']);
    expect(writesOf(effect).rip).toBe(true);
    expect([...writesOf(effect).flags]).toEqual(['DF']);
  });

  it('of a repeated instruction: the count is read first, RIP is written', () => {
    const count = general(1, 64);
    const effect = [endIf(isZero(count)), jump(constant(64, 0x1000n)), write(count, sub(count, constant(64, 1n)))];
    expect(readsOf(effect).registers).toEqual([count]);
    expect(writesOf(effect)).toMatchObject({ registers: [count], rip: true });
  });

  it('name a part of a register once for each width, and AH apart from AL', () => {
    const AH = { kind: 'register', width: 8, index: 0, high: true } as const;
    const effect = [
      write(general(0, 16), add(zeroExtend(general(0, 8), 16), zeroExtend(AH, 16))),
      write(RBX, add(RAX, RAX)),
    ];
    expect(readsOf(effect).registers).toEqual([general(0, 8), AH, RAX]);
  });
});
