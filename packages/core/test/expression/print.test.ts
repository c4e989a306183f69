import { describe, expect, it } from 'vitest';
import {
  add,
  and,
  arithmeticFlags,
  condition,
  constant,
  divide,
  divideFits,
  endIf,
  equal,
  faultIf,
  flag,
  general,
  isZero,
  jump,
  lessSigned,
  lessUnsigned,
  memory,
  mul,
  not,
  select,
  setFlags,
  signExtend,
  sub,
  truncate,
  write,
  zeroExtend,
} from '../../src/expression/build.js';
import { printEffect, printExpression, registerName } from '../../src/expression/print.js';
import { DE, GP } from '../../src/interrupt/exceptions.js';

const [RAX, RBX, RSP] = [general(0, 64), general(3, 64), general(4, 64)];

describe('printEffect', () => {
  it('names what is shared where it is first needed', () => {
    const sum = add(RAX, RBX);
    expect(printEffect([write(RAX, sum), arithmeticFlags('add', RAX, RBX, sum)])).toBe(
      'v1 = add(RAX, RBX); RAX := v1; flags := add(RAX, RBX) of v1',
    );
    const top = sub(RSP, constant(64, 8n));
    expect(printEffect([write(memory(64, 'SS', top), RAX), write(RSP, top)])).toBe(
      'v1 = sub(RSP, 8); qword SS:[v1] := RAX; RSP := v1',
    );
  });

  it('says when flags and branches are conditional', () => {
    const count = and(general(1, 8), constant(8, 0x1fn));
    expect(printEffect([setFlags({ CF: flag('OF'), ZF: isZero(RAX) }, not(isZero(count)))])).toBe(
      'CF := OF, ZF := (RAX = 0) if not((and(CL, 0x1f) = 0))',
    );
    expect(printEffect([jump(constant(64, 0x1000n), condition('NE'))])).toBe('RIP := 0x1000 if condition NE');
    expect(printEffect([jump(RAX)])).toBe('RIP := RAX');
  });

  it('says when an instruction ends early', () => {
    expect(printEffect([endIf(isZero(general(1, 32))), write(RAX, RBX)])).toBe('end if (ECX = 0); RAX := RBX');
  });

  it('prints exceptions with their rule', () => {
    const fits = divideFits(false, general(2, 32), general(0, 32), general(3, 32));
    expect(printEffect([faultIf(not(fits), DE, 'core.div.quotient')])).toBe(
      '#DE by core.div.quotient if not(divideFitsUnsigned(EDX, EAX, EBX))',
    );
    expect(printEffect([faultIf(flag('CF'), GP(0), 'test.rule')])).toBe('#GP(0) by test.rule if CF');
  });
});

describe('printExpression', () => {
  it.each([
    [memory(8, 'FS', add(RBX, mul(general(14, 64), constant(64, 4n)))), 'byte FS:[add(RBX, mul(R14, 4))]'],
    [signExtend(general(0, 8), 32), 'signExtend32(AL)'],
    [zeroExtend(general(9, 32), 64), 'zeroExtend64(R9D)'],
    [truncate(RAX, 16), 'truncate16(RAX)'],
    [select(lessSigned(RAX, RBX), RAX, RBX), 'select((RAX <s RBX), RAX, RBX)'],
    [select(lessUnsigned(RAX, RBX), equal(RAX, RBX), flag('DF')), 'select((RAX <u RBX), (RAX = RBX), DF)'],
    [divide('remainder', true, general(2, 16), general(0, 16), general(3, 16)), 'remainderSigned(DX, AX, BX)'],
  ])('of %o is %s', (node, text) => {
    expect(printExpression(node)).toBe(text);
  });
});

describe('registerName', () => {
  it('names parts as printed', () => {
    const names = [
      general(4, 8),
      general(12, 8),
      general(5, 16),
      general(15, 16),
      general(8, 32),
      general(7, 32),
      { ...general(3, 8), high: true },
    ];
    expect(names.map(registerName)).toEqual(['SPL', 'R12B', 'BP', 'R15W', 'R8D', 'EDI', 'BH']);
  });
});
