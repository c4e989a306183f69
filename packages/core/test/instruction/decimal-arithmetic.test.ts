// DAA, DAS, AAA and AAS over all inputs against the manual's pseudocode; AAM and AAD by example.
import { describe, expect, it } from 'vitest';
import { CODE } from '../support/booted-machine.js';
import { protectedMachine } from '../support/protected-machine.js';

interface Decimal {
  readonly ax: number;
  readonly carry: boolean;
  readonly adjust: boolean;
}

/** The pseudocode of the manual, statement by statement. */
function packed({ ax, carry, adjust }: Decimal, sign: 1 | -1): Decimal {
  let al = ax & 0xff;
  let cf = false;
  const af = (al & 0xf) > 9 || adjust;
  if (af) {
    al += sign * 6;
    cf = carry || al > 0xff || al < 0;
    al &= 0xff;
  }
  if ((ax & 0xff) > 0x99 || carry) {
    al = (al + sign * 0x60) & 0xff;
    cf = true;
  } else if (sign === 1) cf = false;
  return { ax: (ax & 0xff00) | al, carry: cf, adjust: af };
}

function unpacked({ ax, adjust }: Decimal, sign: 1 | -1): Decimal {
  const adjusts = (ax & 0xf) > 9 || adjust;
  const sum = adjusts ? (ax + sign * 0x106) & 0xffff : ax;
  return { ax: sum & 0xff0f, carry: adjusts, adjust: adjusts };
}

const INPUTS = [0x3f00, 0x0000].flatMap((high) =>
  Array.from({ length: 1024 }, (_, index) => ({
    ax: high | (index & 0xff),
    carry: (index & 0x100) !== 0,
    adjust: (index & 0x200) !== 0,
  })),
);

describe('decimal adjustment', () => {
  it.each([
    ['DAA', '27', (input: Decimal) => packed(input, 1)],
    ['DAS', '2f', (input: Decimal) => packed(input, -1)],
    ['AAA', '37', (input: Decimal) => unpacked(input, 1)],
    ['AAS', '3f', (input: Decimal) => unpacked(input, -1)],
  ])('%s is what the manual says, for every AL, CF and AF', (_name, code, expected) => {
    const cpu = protectedMachine(code).processor(0);
    const wrong = INPUTS.filter((input) => {
      cpu.set('RIP', BigInt(CODE));
      cpu.set('RAX', BigInt(input.ax));
      cpu.set('RFLAGS', BigInt((input.carry ? 1 : 0) | (input.adjust ? 0x10 : 0)));
      cpu.step();
      const flags = cpu.read('RFLAGS');
      const { ax, carry, adjust } = expected(input);
      const [zero, sign] = [(ax & 0xff) === 0, (ax & 0x80) !== 0];
      const wanted = (carry ? 1n : 0n) | (adjust ? 0x10n : 0n) | (zero ? 0x40n : 0n) | (sign ? 0x80n : 0n);
      return cpu.read('RAX') !== BigInt(ax) || (flags & 0x8d1n) !== wanted;
    });
    expect(wrong).toEqual([]);
  });

  it('AAM divides AL and AAD joins the digits', () => {
    const cpu = protectedMachine('d4 0a d5 0a').processor(0);
    cpu.set('RAX', 0x1263n); // AL 99
    cpu.step();
    expect(cpu.read('RAX')).toBe(0x0909n);
    cpu.step();
    expect(cpu.read('RAX')).toBe(0x63n);
  });

  it('AAM of base 0 is a divide error', () => {
    const { chain } = protectedMachine('d4 00').processor(0).step() as { chain?: readonly unknown[] };
    expect(chain?.[0]).toMatchObject({ vector: '#DE', rule: 'core.aam.base' });
  });
});

it.each([
  ['f8', 0x1200n],
  ['f9', 0x12ffn],
])('SALC fills AL with the carry flag: after %s', (flag, ax) => {
  const cpu = protectedMachine(`${flag} d6`).processor(0);
  cpu.set('RAX', 0x1234n);
  cpu.step(2);
  expect(cpu.read('RAX')).toBe(ax);
});
