import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FunctionCode } from '../../../src/compile/wasm/function-code.js';
import { moduleBytes } from '../../../src/compile/wasm/module.js';
import { signed, signedWide, unsigned } from '../../../src/compile/wasm/variable-length.js';
import { VariableLengthReader } from '../../../src/compile/wasm/variable-length-reader.js';

const BITS_A_BYTE = 7;

function written<Value>(write: (bytes: number[], value: Value) => void, value: Value): readonly number[] {
  const bytes: number[] = [];
  write(bytes, value);
  return bytes;
}

/** Where the length of an unsigned integer changes, and the values beside it. */
const UNSIGNED_LIMITS = [0, 0xffff_ffff, 0x8000_0000, 0x7fff_ffff].concat(
  [1, 2, 3, 4].flatMap((bytes) => [2 ** (BITS_A_BYTE * bytes) - 1, 2 ** (BITS_A_BYTE * bytes)]),
);

/** The same for signed integers of some bits. */
function signedLimits(bits: number): readonly bigint[] {
  const top = 2n ** BigInt(bits - 1);
  const lengths = Array.from(
    { length: Math.floor((bits - 1) / BITS_A_BYTE) },
    (_, index) => BITS_A_BYTE * (index + 1) - 1,
  );
  const steps = lengths.flatMap((length) => [2n ** BigInt(length) - 1n, 2n ** BigInt(length)]);
  return [0n, -1n, top - 1n, -top, ...steps, ...steps.map((value) => -value), ...steps.map((value) => -value - 1n)];
}

const unsigned32 = fc.oneof(fc.constantFrom(...UNSIGNED_LIMITS), fc.nat(0xffff_ffff));
const signed32 = fc.oneof(fc.constantFrom(...signedLimits(32).map(Number)), fc.integer());
const signed64 = fc.oneof(fc.constantFrom(...signedLimits(64)), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));

function expectRoundTrip(natural: number, integer: number, wide: bigint): void {
  expect(new VariableLengthReader(written(unsigned, natural)).unsigned()).toBe(natural);
  expect(new VariableLengthReader(written(signed, integer)).signed()).toBe(BigInt(integer));
  expect(new VariableLengthReader(written(signedWide, wide)).signed()).toBe(wide);
  expect(written(unsigned, natural)).toHaveLength(Math.max(1, Math.ceil(natural.toString(2).length / BITS_A_BYTE)));
  // One bit more, for the sign.
  const magnitude = wide < 0n ? -wide - 1n : wide;
  const bits = (magnitude === 0n ? 0 : magnitude.toString(2).length) + 1;
  expect(written(signedWide, wide)).toHaveLength(Math.ceil(bits / BITS_A_BYTE));
  expect(written(signedWide, BigInt(integer))).toEqual(written(signed, integer));
}

function constantFunction(write: (code: FunctionCode) => void): FunctionCode {
  const code = new FunctionCode(0);
  write(code);
  return code;
}

function expectConstants(integers: readonly number[], wides: readonly bigint[]): void {
  const functions = [
    ...integers.map((value) => ({ type: 0, code: constantFunction((code) => code.i32(value)) })),
    ...wides.map((value) => ({ type: 1, code: constantFunction((code) => code.i64(value)) })),
  ];
  const bytes = moduleBytes({
    types: [
      { parameters: [], results: ['i32'] },
      { parameters: [], results: ['i64'] },
    ],
    imports: [],
    functions: functions.map((one, index) => ({ ...one, name: `f${index}` })),
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const results = Object.values(exports).map((made) => (made as () => number | bigint)());
  expect(results).toEqual([...integers, ...wides]);
}

describe('LEB128', () => {
  it('writes the examples of the specification of DWARF', () => {
    expect([2, 127, 128, 129, 12_857].map((value) => written(unsigned, value))).toEqual([
      [2],
      [0x7f],
      [0x80, 1],
      [0x81, 1],
      [0xb9, 0x64],
    ]);
    expect([2, -2, 127, -127, 128, -128, 129, -129].map((value) => written(signed, value))).toEqual([
      [2],
      [0x7e],
      [0xff, 0],
      [0x81, 0x7f],
      [0x80, 1],
      [0x80, 0x7f],
      [0x81, 1],
      [0xff, 0x7e],
    ]);
  });

  it('is read back as it was written, in as few bytes as there are', () => {
    fc.assert(fc.property(unsigned32, signed32, signed64, expectRoundTrip), { numRuns: 2000 });
  });

  it('is what the engine reads: constants come out of a function as they went in', () => {
    const some = { maxLength: 20 };
    fc.assert(fc.property(fc.array(signed32, some), fc.array(signed64, some), expectConstants), { numRuns: 200 });
  });
});
