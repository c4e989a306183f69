// The upper half of a product. WebAssembly has none of 128 bits: it is put together from products of halves.
import type { Binary } from '../expression/nodes.js';
import type { ValueCode } from './value-code.js';
import type { FunctionCode, Local } from './wasm/function-code.js';

/** Pushes bits 2n-1:n of the product of two values of n bits. */
export function mulHighCode(values: ValueCode, { operator, width, left, right }: Binary): void {
  const { code } = values.scope;
  const isSigned = operator === 'mulHighSigned';
  if (width === 64) {
    mulHigh64(code, values.toLocal(left), values.toLocal(right), isSigned);
    return;
  }
  for (const factor of [left, right]) {
    values.push(factor);
    if (isSigned) values.spreadSign(width);
    code.op(isSigned ? 'i64.extend_i32_s' : 'i64.extend_i32_u');
  }
  code.op('i64.mul');
  code.i64(BigInt(width));
  code.op('i64.shr_u');
  code.op('i32.wrap_i64');
  values.mask(width);
}

const LOW = 0xffff_ffffn;

/** Knuth's schoolbook product, as in Hacker's Delight; a negative factor takes the other one off the upper half. */
function mulHigh64(code: FunctionCode, left: Local, right: Local, isSigned: boolean): void {
  const [crossing, middle] = [code.temporary('i64'), code.temporary('i64')];
  product(code, left, 'high', right, 'low');
  product(code, left, 'low', right, 'low');
  upper(code);
  code.op('i64.add');
  code.set(crossing); // high · low, and what low · low carries
  product(code, left, 'low', right, 'high');
  code.get(crossing);
  lower(code);
  code.op('i64.add');
  code.set(middle);
  product(code, left, 'high', right, 'high');
  code.get(crossing);
  upper(code);
  code.op('i64.add');
  code.get(middle);
  upper(code);
  code.op('i64.add');
  if (!isSigned) return;
  for (const [sign, other] of [
    [left, right],
    [right, left],
  ] as const) {
    code.get(sign);
    code.i64(63n);
    code.op('i64.shr_s');
    code.get(other);
    code.op('i64.and');
    code.op('i64.sub');
  }
}

function product(code: FunctionCode, left: Local, ofLeft: Half, right: Local, ofRight: Half): void {
  half(code, left, ofLeft);
  half(code, right, ofRight);
  code.op('i64.mul');
}

type Half = 'low' | 'high';

function half(code: FunctionCode, value: Local, which: Half): void {
  code.get(value);
  if (which === 'low') lower(code);
  else upper(code);
}

function lower(code: FunctionCode): void {
  code.i64(LOW);
  code.op('i64.and');
}

function upper(code: FunctionCode): void {
  code.i64(32n);
  code.op('i64.shr_u');
}
