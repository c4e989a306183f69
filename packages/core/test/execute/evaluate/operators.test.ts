// Every operator at every width, from every place an operand can be in, against the oracle.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as build from '../../../src/expression/build.js';
import type { Effect, Expression, RegisterPlace, ScalarWidth } from '../../../src/expression/nodes.js';
import {
  BINARY_OPERATORS,
  COMPARISONS,
  CONDITION_CODES,
  FLAG_RULES,
  interesting64,
  UNARY_OPERATORS,
  WIDTHS,
} from '../../expression/arbitrary-effect.js';
import { start } from './arbitrary-start.js';
import { OracleProcessor, Processor, type Start } from './processor.js';

/** Performs effects one after another on both and compares what they leave. */
function compare(from: Start, ...effects: readonly Effect[]): void {
  const [processor, oracle] = [new Processor(from), new OracleProcessor(from)];
  for (const effect of effects) expect(processor.run(effect)).toEqual(oracle.run(effect));
  expect(processor.seen()).toEqual(oracle.seen());
}

/** An operand in a register, in a constant, in AH to BH, in memory, in a cell, or as bits of one. */
function operand(width: ScalarWidth): fc.Arbitrary<Expression> {
  const register = fc.nat({ max: 15 });
  const whole: fc.Arbitrary<Expression> =
    width === 1
      ? fc.constantFrom<Expression>(build.flag('CF'), build.flag('ZF'))
      : register.map((index) => build.general(index, width));
  const high = fc.nat({ max: 3 }).map((index): RegisterPlace => ({ kind: 'register', index, width: 8, high: true }));
  const narrow = fc
    .oneof(
      high,
      register.map((index) => build.general(index, 16)),
    )
    .chain((place) =>
      fc.boolean().map((signed) => (signed ? build.signExtend(place, width) : build.zeroExtend(place, width))),
    );
  const bits = fc
    .tuple(register, fc.nat({ max: 63 }))
    .map(([index, count]) =>
      build.truncate(build.shr(build.general(index, 64), build.constant(64, BigInt(count))), width),
    );
  const cell = register.map((index) => build.truncate(build.not(build.general(index, 64)), width));
  const loaded = interesting64.map((offset) => build.memory(width === 1 ? 8 : width, 'DS', build.constant(64, offset)));
  const memory = loaded.map((place) => build.truncate(place, width));
  return fc.oneof(
    whole,
    interesting64.map((value) => build.constant(width, value)),
    narrow,
    bits,
    cell,
    memory,
  );
}

/** An effect that shows a value in RAX. */
const shown = (node: Expression): Effect => [build.write(build.general(0, 64), build.zeroExtend(node, 64))];
const states = start.map((from) => ({ ...from, faults: () => false }));
const RUNS = { numRuns: 60 };

describe.each(WIDTHS)('values of %i bits', (width) => {
  it.each(BINARY_OPERATORS)('%s', (operator) => {
    const small = operand(width);
    fc.assert(
      fc.property(states, operand(width), small, (from, left, right) =>
        compare(from, shown({ kind: 'binary', width, operator, left, right })),
      ),
      RUNS,
    );
  });

  it.each(['shl', 'shr', 'sar', 'rol', 'ror'] as const)('%s by counts around the width', (operator) => {
    const count = fc.bigInt({ min: 0n, max: 70n }).map((value) => build.constant(width, value));
    fc.assert(
      fc.property(states, operand(width), count, (from, left, right) =>
        compare(from, shown({ kind: 'binary', width, operator, left, right })),
      ),
      RUNS,
    );
  });

  it.each(COMPARISONS)('%s', (operator) => {
    fc.assert(
      fc.property(states, operand(width), operand(width), (from, left, right) =>
        compare(from, shown({ kind: 'compare', width: 1, operator, left, right })),
      ),
      RUNS,
    );
  });

  it.each(UNARY_OPERATORS)('%s', (operator) => {
    fc.assert(
      fc.property(states, operand(width), (from, node) =>
        compare(from, shown({ kind: 'unary', width, operator, operand: node })),
      ),
      RUNS,
    );
  });

  it.each(WIDTHS)('to %i bits', (to) => {
    fc.assert(
      fc.property(states, operand(width), fc.boolean(), (from, node, signed) =>
        compare(from, shown({ kind: 'resize', width: to, signed, operand: node })),
      ),
      RUNS,
    );
  });

  it('select', () => {
    fc.assert(
      fc.property(states, operand(1), operand(width), operand(width), (from, test, left, right) =>
        compare(from, shown(build.select(test, left, right))),
      ),
      RUNS,
    );
  });
});

describe.each([8, 16, 32, 64] as const)('division by %i bits', (width) => {
  it.each([false, true])('signed: %s', (signed) => {
    const dividends = fc.oneof(
      fc.tuple(operand(width), operand(width)),
      operand(width).map(
        (low) =>
          [signed ? build.sar(low, build.constant(width, BigInt(width - 1))) : build.constant(width, 0n), low] as const,
      ),
    );
    fc.assert(
      fc.property(states, dividends, operand(width), (from, [high, low], divisor) => {
        const parts = (['quotient', 'remainder'] as const).map((part) =>
          build.zeroExtend(build.divide(part, signed, high, low, divisor), 64),
        );
        const fits = build.zeroExtend(build.divideFits(signed, high, low, divisor), 64);
        compare(
          from,
          [...parts, fits].map((node, index) => build.write(build.general(index, 64), node)),
        );
      }),
      { numRuns: 200 },
    );
  });
});

describe.each([8, 16, 32, 64] as const)('arithmetic of %i bits with its flags', (width) => {
  const place = fc.oneof(
    fc.nat({ max: 15 }).map((index) => build.general(index, width)),
    fc
      .tuple(interesting64, fc.nat({ max: 15 }))
      .map(([offset, index]) =>
        build.memory(width, 'GS', build.add(build.general(index, 64), build.constant(64, offset))),
      ),
  );

  it.each(FLAG_RULES)('by the rule %s', (rule) => {
    const operators = fc.constantFrom('add', 'sub', 'and', 'or', 'xor', 'mul' as const);
    const shape = fc.constantFrom('update', 'write', 'flags' as const);
    fc.assert(
      fc.property(
        states,
        operators,
        place,
        operand(width),
        shape,
        fc.boolean(),
        (from, operator, dst, src, kind, swapped) => {
          const [left, right] = swapped ? [src, dst] : [dst, src];
          const result: Expression = { kind: 'binary', width, operator, left, right };
          const flags = build.arithmeticFlags(rule, left, right, result);
          const written = kind === 'update' ? dst : build.general(3, width);
          compare(from, kind === 'flags' ? [flags] : [build.write(written, result), flags]);
        },
      ),
      { numRuns: 120 },
    );
  });
});

describe('a direct branch', () => {
  it.each(CONDITION_CODES)('on %s', (code) => {
    const arithmetic = fc
      .tuple(fc.constantFrom(...FLAG_RULES), operand(32), operand(32))
      .map(([rule, left, right]): Effect => [build.arithmeticFlags(rule, left, right, build.sub(left, right))]);
    fc.assert(
      fc.property(states, arithmetic, interesting64, (from, before, target) => {
        const branch: Effect = [build.jump(build.constant(64, target), build.condition(code))];
        compare(from, branch);
        compare(from, before, branch);
      }),
      RUNS,
    );
  });
});
