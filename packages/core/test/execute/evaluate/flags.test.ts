import { describe, expect, it } from 'vitest';
import { PENDING, PENDING_RULE, RFLAGS_WORD, recordFlags, settleFlags } from '../../../src/execute/evaluate/flags.js';
import {
  arithmeticFlags,
  condition,
  constant,
  flag,
  general,
  select,
  setFlags,
  write,
} from '../../../src/expression/build.js';
import type { Effect, FlagName } from '../../../src/expression/nodes.js';
import { TLB_OFFSET } from '../../../src/state/workbench.js';
import { CONDITION_CODES, FLAG_RULES, STATUS_FLAG_NAMES, WIDTHS } from '../../expression/arbitrary-effect.js';
import { OracleProcessor, Processor, type Start } from './processor.js';

const start: Start = {
  registers: [],
  flags: 0n,
  segmentBases: { FS: 0n, GS: 0n },
  mode64: true,
  linearBits: 48,
  next: 0n,
};
const [CF, PF, AF, ZF, SF, OF] = [0x1, 0x4, 0x10, 0x40, 0x80, 0x800];

const words = new Int32Array(TLB_OFFSET / 4);

function settled(rule: 'add' | 'sub', left: number, right: number, result: number): number {
  recordFlags(words, PENDING_RULE[rule], left, left << 24, right, right << 24, result, result << 24);
  settleFlags(words);
  return words[RFLAGS_WORD] ?? 0;
}

/** The manual's definitions, by ranges instead of by bits. */
function expected(whole: number, signedWhole: number, nibble: number): number {
  const result = whole & 0xff;
  const ones = result.toString(2).replaceAll('0', '').length;
  return (
    (whole < 0 || whole > 255 ? CF : 0) |
    (ones % 2 === 0 ? PF : 0) |
    (nibble < 0 || nibble > 15 ? AF : 0) |
    (result === 0 ? ZF : 0) |
    (result > 127 ? SF : 0) |
    (signedWhole < -128 || signedWhole > 127 ? OF : 0)
  );
}

describe('the flags of addition and subtraction', () => {
  it.each([0, 1])("are the manual's for all bytes with a carry of %i", (carry) => {
    const signed = (byte: number): number => (byte << 24) >> 24;
    const wrong: string[] = [];
    for (let left = 0; left < 256; left++) {
      for (let right = 0; right < 256; right++) {
        const [sum, difference] = [left + right + carry, left - right - carry];
        const ofSum = expected(sum, signed(left) + signed(right) + carry, (left & 15) + (right & 15) + carry);
        const ofDifference = expected(
          difference,
          signed(left) - signed(right) - carry,
          (left & 15) - (right & 15) - carry,
        );
        if (settled('add', left, right, sum & 0xff) !== ofSum) wrong.push(`${left} + ${right} + ${carry}`);
        if (settled('sub', left, right, difference & 0xff) !== ofDifference)
          wrong.push(`${left} - ${right} - ${carry}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe('pending flags', () => {
  const values = [
    0n,
    1n,
    0x0fn,
    0x7fn,
    0x80n,
    0xffn,
    0x7fffn,
    0x8000n,
    0x7fff_ffffn,
    0x8000_0000n,
    0xffff_ffffn,
    1n << 63n,
    (1n << 64n) - 1n,
  ];

  it.each(FLAG_RULES)('of %s are read by every flag and condition as they are settled', (rule) => {
    const readAll: Effect = [
      ...STATUS_FLAG_NAMES.map((name, index) =>
        write(general(index, 64), select(flag(name), constant(64, 1n), constant(64, 0n))),
      ),
    ];
    const readConditions = (codes: typeof CONDITION_CODES): Effect =>
      codes.map((code, index) =>
        write(general(index, 64), select(condition(code), constant(64, 1n), constant(64, 0n))),
      );
    for (const width of WIDTHS.filter((each) => each > 1)) {
      for (const left of values) {
        for (const right of values.slice(0, 6)) {
          const result = constant(width, rule === 'sub' || rule === 'dec' ? left - right : left + right);
          const record: Effect = [arithmeticFlags(rule, constant(width, left), constant(width, right), result)];
          for (const read of [readAll, readConditions(CONDITION_CODES)]) {
            const [processor, oracle] = [
              new Processor({ ...start, flags: 0x1n }),
              new OracleProcessor({ ...start, flags: 0x1n }),
            ];
            for (const effect of [record, read]) {
              processor.run(effect);
              oracle.run(effect);
            }
            expect(processor.seen()).toEqual(oracle.seen());
          }
        }
      }
    }
  });

  it('are not settled by reading, and settled once', () => {
    const cpu = new Processor(start);
    cpu.run([arithmeticFlags('sub', constant(8, 1n), constant(8, 2n), constant(8, 0xffn))]);
    cpu.run([write(general(0, 8), select(condition('B'), constant(8, 1n), constant(8, 0n)))]);
    expect([cpu.get(0), cpu.words[PENDING.rule]]).toEqual([1n, PENDING_RULE.sub]);
    settleFlags(cpu.words);
    expect([cpu.words[PENDING.rule], cpu.words[RFLAGS_WORD]]).toEqual([PENDING_RULE.none, 0x202 | CF | SF | AF | PF]);
    settleFlags(cpu.words);
    expect(cpu.words[RFLAGS_WORD]).toBe(0x202 | CF | SF | AF | PF);
  });

  it.each(['inc', 'dec'] as const)('of %s keep CF, pending or not', (rule) => {
    const cpu = new Processor(start);
    cpu.run([arithmeticFlags('add', constant(8, 0xffn), constant(8, 1n), constant(8, 0n))]);
    for (let times = 0; times < 2; times++)
      cpu.run([arithmeticFlags(rule, constant(8, 4n), constant(8, 1n), constant(8, 5n))]);
    cpu.run([write(general(0, 8), select(flag('CF'), constant(8, 1n), constant(8, 0n)))]);
    expect(cpu.get(0)).toBe(1n);
    expect(cpu.seen().rflags).toBe((0x202 | CF | PF).toString(16).padStart(16, '0'));
  });
});

describe('setFlags', () => {
  const one = constant(1, 1n);
  const run = (...effects: Effect[]): number => {
    const cpu = new Processor(start);
    for (const effect of effects) cpu.run(effect);
    return Number.parseInt(cpu.seen().rflags, 16) & ~0x202;
  };
  const zeroResult: Effect = [arithmeticFlags('add', constant(8, 0xffn), constant(8, 1n), constant(8, 0n))];

  it('keeps the flags it does not name', () => {
    expect(run(zeroResult, [setFlags({ OF: one, CF: constant(1, 0n) })])).toBe(PF | AF | ZF | OF);
  });

  it('reads the old flags, its own included', () => {
    expect(run(zeroResult, [setFlags({ CF: flag('SF'), SF: flag('CF'), OF: condition('E') })])).toBe(
      PF | AF | ZF | SF | OF,
    );
  });

  it('changes nothing where `when` does not hold', () => {
    expect(run(zeroResult, [setFlags({ OF: one, DF: one }, flag('SF'))])).toBe(CF | PF | AF | ZF);
  });

  it('of all six needs none of those pending', () => {
    const all = Object.fromEntries(STATUS_FLAG_NAMES.map((name) => [name, one])) as Record<FlagName, typeof one>;
    expect(run(zeroResult, [setFlags(all)])).toBe(CF | PF | AF | ZF | SF | OF);
    expect(run(zeroResult, [setFlags(all, flag('SF'))])).toBe(CF | PF | AF | ZF);
  });
});
