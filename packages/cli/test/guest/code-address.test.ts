import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { codeAddress } from '../../src/guest/code-address.js';

const fileAt = (path: string): string => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));
const SUM = fileAt('examples/sum/sum.elf');
const WALK = fileAt('examples/walk/walk.bin');

describe('codeAddress', () => {
  it('takes a number, decimal or with 0x, whatever the image', () => {
    expect([codeAddress('0x10_0000', WALK), codeAddress('255', WALK)]).toEqual([0x10_0000n, 255n]);
    expect(codeAddress('0xffff800000001000', 'nowhere')).toBe(0xffff_8000_0000_1000n);
  });

  it('takes a symbol of an ELF image', () => {
    expect(codeAddress('start', SUM)).toBe(0x10_0000n);
    expect(codeAddress('sum', SUM)).toBeGreaterThan(0x10_0000n);
  });

  it('says what there is instead of a symbol that is not there', () => {
    expect(() => codeAddress('AGAI', SUM)).toThrow(
      expect.objectContaining({
        code: 'UNKNOWN_SYMBOL',
        details: expect.objectContaining({ symbol: 'AGAI', alike: ['again'] }),
      }),
    );
    expect(() => codeAddress('start', WALK)).toThrow(/walk\.bin has no symbols: a number, decimal or with 0x/);
  });
});
