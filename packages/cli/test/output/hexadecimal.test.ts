import { expect, it } from 'vitest';
import { hexDigits, valueText } from '../../src/output/hexadecimal.js';

it('groups the digits of a register', () => {
  expect(hexDigits(0x20_0000n)).toBe('0000_0000_0020_0000');
  expect(hexDigits(0xffffn, 32)).toBe('0000_ffff');
  expect(hexDigits(0x10n, 16)).toBe('0010');
});

it('shows any value that a location can have', () => {
  expect([undefined, 5n, Uint8Array.of(1, 0xab), true, 3].map(valueText)).toEqual(['—', '0x5', '01 ab', 'true', '3']);
  expect(valueText({ region: 16n })).toBe('{"region":"0x10"}');
  expect(valueText(new Uint8Array(40))).toMatch(/ … \(40 bytes\)$/);
});
