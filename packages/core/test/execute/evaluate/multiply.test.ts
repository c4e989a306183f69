import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { productOf } from '../../../src/execute/evaluate/multiply.js';
import { constant, general, memory, setFlags, truncate, write } from '../../../src/expression/build.js';
import type { Effect, Expression } from '../../../src/expression/nodes.js';
import { IMUL } from '../../../src/instruction/multiply-and-divide.js';
import { interesting64 } from '../../expression/arbitrary-effect.js';
import { OracleProcessor, Processor, type Start } from './processor.js';

type FactorWidth = 16 | 32 | 64;

/** IMUL of two operands, the first of them RAX or a part of it. */
function multiply(width: FactorWidth, src: Expression): Effect {
  if (IMUL.form !== 'expression') throw new RangeError('IMUL has an expression');
  return IMUL.effect({
    dst: general(0, width),
    src,
    third: src,
    operandCount: 2,
    operandWidth: width,
    addressWidth: 64,
    stackWidth: 64,
    repeat: 'none',
    here: constant(64, 0n),
    next: constant(64, 0n),
    address: constant(64, 0n),
  });
}

function compare(effect: Effect, left: bigint, right: bigint, flags: bigint): void {
  const registers = Array.from({ length: 16 }, (_, index) => BigInt.asUintN(64, index === 0 ? left : right));
  const segmentBases = { FS: 0n, GS: 0n };
  const start: Start = { registers, flags, segmentBases, mode64: true, linearBits: 48, next: 0n };
  const [processor, oracle] = [new Processor(start), new OracleProcessor(start)];
  processor.run(effect);
  oracle.run(effect);
  expect(processor.seen()).toEqual(oracle.seen());
}

const WIDTHS: readonly FactorWidth[] = [16, 32, 64];

describe.each(WIDTHS)('a product of %i bits', (width) => {
  const [RAX, RCX] = [general(0, width), general(1, width)];

  it('is one closure in the forms of IMUL with a destination', () => {
    for (const src of [RCX, RAX, constant(width, 7n), memory(width, 'DS', general(3, 64))])
      expect(productOf(multiply(width, src))).toMatchObject({ place: RAX, right: src });
  });

  it('and its flags are those of the expression', () => {
    const flags = fc.bigInt({ min: 0n, max: 0xfffn });
    fc.assert(
      fc.property(interesting64, interesting64, flags, (left, right, before) => {
        compare(multiply(width, RCX), left, right, before);
        compare(multiply(width, RAX), left, right, before);
        compare(multiply(width, constant(width, right)), left, right, before);
        compare(multiply(width, memory(width, 'DS', constant(64, 0x10n))), left, right, before);
      }),
      { numRuns: 300 },
    );
  });

  it('loses no bits up to the largest and the smallest integer, and some beyond', () => {
    const least = -(1n << BigInt(width - 1));
    // 7 divides the largest integers of 15 and 63 bits; the square root of 2^63 lies between the last two factors.
    for (const limit of [least, -least - 1n, -least])
      for (const factor of [1n, -1n, 2n, -2n, 7n, 127n, 3_037_000_499n, 3_037_000_500n])
        for (const distance of [-1n, 0n, 1n]) compare(multiply(width, RCX), factor, limit / factor + distance, 0x8d5n);
  });
});

describe('an effect that only looks like a product', () => {
  const [RAX, RCX] = [general(0, 32), general(1, 32)];
  const [product, flags] = multiply(32, RCX);

  it.each<[string, Effect]>([
    ['writes something else', flags === undefined ? [] : [write(RAX, RCX), flags]],
    ['writes a product of other factors', flags === undefined ? [] : [...multiply(32, RAX).slice(0, 1), flags]],
    ['sets other flags', product === undefined ? [] : [product, setFlags({ CF: truncate(RCX, 1) })]],
    ['does more', [...multiply(32, RCX), write(RCX, RAX)]],
  ])('%s', (_, effect) => {
    expect(productOf(effect)).toBeUndefined();
    compare(effect, 0x1_0000n, 0xffff_ffffn, 0n);
  });
});
