import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TraceFormatError, UsageError } from '../../src/error.js';
import { DEEPEST_NESTING, decodeCanonical, encodeCanonical } from '../../src/trace/canonical.js';

const text = fc.string({ unit: 'grapheme' });
const plainData: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  data: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, undefined, true, false, 0, -0, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -(2 ** 53)),
    fc.maxSafeInteger(),
    fc.double(),
    fc.bigInt(),
    text,
    fc.uint8Array(),
    fc.array(tie('data')),
    fc.dictionary(text, tie('data')),
  ),
})).data;

/** The same data with the keys of its objects in another order. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, part]) => [key, turned(part)]),
  );
}

function nested(levels: number): unknown {
  return Array.from({ length: levels }).reduce<unknown>((inner) => [inner], 0);
}

describe('the canonical encoding', () => {
  it('brings back what went in', () => {
    fc.assert(
      fc.property(plainData, (data) => {
        expect(decodeCanonical(encodeCanonical(data))).toStrictEqual(normal(data));
      }),
    );
  });

  it('is the same whatever the order of keys', () => {
    fc.assert(
      fc.property(plainData, (data) => {
        expect(encodeCanonical(turned(data))).toEqual(encodeCanonical(data));
      }),
    );
  });

  it('has one form for each value: other bytes are refused or are other data', () => {
    const changed = fc.tuple(plainData, fc.nat(), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(changed, ([data, at, flip]) => {
        const bytes = encodeCanonical(data);
        const index = at % bytes.length;
        bytes[index] = (bytes[index] as number) ^ flip;
        expectOneForm(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it('reads random bytes as data of one form, or refuses them', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 30 }), expectOneForm), { numRuns: 3000 });
  });

  // RFC 8949, Appendix A, where its encoding is ours too.
  it.each([
    [0, '00'],
    [23, '17'],
    [24, '1818'],
    [1000, '1903e8'],
    [1000000, '1a000f4240'],
    [1000000000000, '1b000000e8d4a51000'],
    [-1, '20'],
    [-1000, '3903e7'],
    [18446744073709551616n, 'c249010000000000000000'],
    [-18446744073709551617n, 'c349010000000000000000'],
    [1.1, 'fb3ff199999999999a'],
    [false, 'f4'],
    [true, 'f5'],
    [null, 'f6'],
    [undefined, 'f7'],
    [Uint8Array.of(1, 2, 3, 4), '4401020304'],
    ['', '60'],
    ['IETF', '6449455446'],
    ['\u00fc', '62c3bc'],
    [[1, [2, 3], [4, 5]], '8301820203820405'],
    [{ b: [2, 3], a: 1 }, 'a26161016162820203'],
  ])('writes as RFC 8949 does: $1', (data, hex) => {
    expect(bytesToHex(encodeCanonical(data))).toBe(hex);
  });

  it('keeps 5n and 5 apart, and 0 and -0', () => {
    expect(bytesToHex(encodeCanonical(5n))).toBe('c24105');
    expect(bytesToHex(encodeCanonical(5))).toBe('05');
    expect(decodeCanonical(encodeCanonical([0, -0, 0n]))).toStrictEqual([0, -0, 0n]);
  });

  it('takes __proto__ for a key like any other', () => {
    const data = JSON.parse('{"__proto__": {"polluted": 1}}') as object;
    const back = decodeCanonical(encodeCanonical(data)) as object;
    expect(Object.keys(back)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
  });

  it.each([
    ['a function', () => 1],
    ['a class', new Map()],
    ['a symbol', Symbol('s')],
    ['half a pair', '\ud800'],
    ['a hole', new Array(2)],
    ['another typed array', new Uint16Array(1)],
    ['a key that is half a pair', { '\udc00': 1 }],
  ])('refuses %s and says where it is', (_, thing) => {
    expect(() => encodeCanonical({ outer: [thing] })).toThrow(UsageError);
    expect(() => encodeCanonical({ outer: [thing] })).toThrow(/outer\.0/);
  });

  it('refuses a cycle and what is nested too deep, on both sides', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(() => encodeCanonical(cycle)).toThrow(/nested deeper/);
    expect(decodeCanonical(encodeCanonical(nested(DEEPEST_NESTING)))).toEqual(nested(DEEPEST_NESTING));
    expect(() => encodeCanonical(nested(DEEPEST_NESTING + 1))).toThrow(/nested deeper/);
    expect(() => decodeCanonical(new Uint8Array(100_000).fill(0x81))).toThrow(/no deeper/);
  });

  it.each([
    ['bytes', '5b001fffffffffffff'],
    ['text', '7affffffff'],
    ['an array', '9a7fffffff'],
    ['a map', 'ba7fffffff'],
    ['a bignum', 'c25a7fffffff'],
    ['more than 2^53', '9bffffffffffffffff'],
  ])('refuses a hostile length of %s before it allocates anything', (_, hex) => {
    const before = process.memoryUsage().arrayBuffers;
    expect(() => decodeCanonical(hexToBytes(hex))).toThrow(TraceFormatError);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
  });

  it('says the offset of what it refuses', () => {
    const error = caught(() => decodeCanonical(hexToBytes('83010203'.replace('03', 'ff')), 1000));
    expect(error).toMatchObject({ code: 'TRACE_MALFORMED', details: { offset: 1003 } });
  });
});

function caught(work: () => unknown): unknown {
  try {
    return work();
  } catch (thrown) {
    return thrown;
  }
}

/** fast-check makes objects without a prototype too: what comes back has the usual one. */
function normal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, normal(part)]));
}

function expectOneForm(bytes: Uint8Array): void {
  let data: unknown;
  try {
    data = decodeCanonical(bytes);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(TraceFormatError);
    return;
  }
  expect(encodeCanonical(data)).toEqual(bytes);
}
