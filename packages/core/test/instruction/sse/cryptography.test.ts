// AES against the example of FIPS 197, appendix B, and carry-less products against their definition.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hex, machineWith } from '../../support/booted-machine.js';

const OSFXSR = 1n << 9n;

/** Bytes in the order of the standard, the first one lowest. */
const block = (text: string): bigint => hex(text).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);

/** XMM0 after an instruction on XMM0 and XMM1. */
function resultOf(code: string, xmm0: bigint, xmm1: bigint): bigint {
  const cpu = machineWith(hex(code)).processor(0);
  cpu.set('CR4', cpu.read('CR4') | OSFXSR);
  cpu.set('XMM0', xmm0);
  cpu.set('XMM1', xmm1);
  expect(cpu.step()).toEqual({ kind: 'completed' });
  return cpu.read('XMM0');
}

const KEY = block('2b7e1516 28aed2a6 abf71588 09cf4f3c');
const ROUND_KEY = block('a0fafe17 88542cb1 23a33939 2a6c7605');
const FIRST_STATE = block('193de3be a0f4e22b 9ac68d2a e9f84808');
const SECOND_STATE = block('a49c7ff2 689f352b 6b5bea43 026a5049');

describe('AES', () => {
  it('AESENC is a round of the example', () => {
    expect(resultOf('66 0f 38 dc c1', FIRST_STATE, ROUND_KEY)).toBe(SECOND_STATE);
  });

  it('AESENCLAST is the last one', () => {
    const state = block('eb40f21e 592e3884 8ba113e7 1bc342d2');
    const key = block('d014f9a8 c9ee2589 e13f0cc8 b6630ca6');
    expect(resultOf('66 0f 38 dd c1', state, key)).toBe(block('3925841d 02dc09fb dc118597 196a0b32'));
  });

  it('AESDEC undoes AESENC with the key that AESIMC mixed', () => {
    // The inverse cipher is that of "Equivalent Inverse Cipher": AESDECLAST undoes the substitution of the first round.
    const mixedKey = resultOf('66 0f 38 db c1', 0n, ROUND_KEY); // aesimc xmm0, xmm1
    const unmixed = resultOf('66 0f 38 db c1', 0n, SECOND_STATE);
    expect(resultOf('66 0f 38 df c1', unmixed ^ mixedKey, 0n)).toBe(FIRST_STATE);
    expect(resultOf('66 0f 38 de c1', 0n, 0n)).toBe(resultOf('66 0f 38 db c1', 0n, resultOf('66 0f 38 df c1', 0n, 0n)));
  });

  it('AESKEYGENASSIST makes the next round key', () => {
    const assist = resultOf('66 0f 3a df c1 01', 0n, KEY) >> 96n;
    const words = [0n, 32n, 64n, 96n].map((shift) => (KEY >> shift) & 0xffff_ffffn);
    let last = assist;
    const next = words.map((word) => (last ^= word));
    expect(next.reduceRight((value, word) => (value << 32n) | word, 0n)).toBe(ROUND_KEY);
  });
});

describe('PCLMULQDQ', () => {
  it('multiplies the chosen quadwords without carries', () => {
    const quadword = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    fc.assert(
      fc.property(
        fc.array(quadword, { minLength: 4, maxLength: 4 }),
        fc.constantFrom(0, 1, 0x10, 0x11),
        (words, choice) => {
          const [a0, a1, b0, b1] = words as [bigint, bigint, bigint, bigint];
          const code = `66 0f 3a 44 c1 ${choice.toString(16).padStart(2, '0')}`;
          const [a, b] = [choice & 1 ? a1 : a0, choice & 0x10 ? b1 : b0];
          const partial = Array.from({ length: 64 }, (_, bit) => ((b >> BigInt(bit)) & 1n ? a << BigInt(bit) : 0n));
          expect(resultOf(code, (a1 << 64n) | a0, (b1 << 64n) | b0)).toBe(partial.reduce((sum, part) => sum ^ part));
        },
      ),
      { numRuns: 20 },
    );
  });
});
