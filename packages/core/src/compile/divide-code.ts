// Division in generated code. A divisor of up to 32 bits divides a dividend that fits i64. One of 64 bits does if the upper
// half of the dividend is but its sign; all else goes to the slow path.
import type { Divide, DivideFits } from '../expression/nodes.js';
import type { ValueCode } from './value-code.js';
import type { Local } from './wasm/function-code.js';

/** Pushes the quotient or the remainder; only where `divideFits` holds, so that the division does not trap. */
export function divisionCode(values: ValueCode, node: Divide): void {
  const { code } = values.scope;
  const { width, signed, part } = node;
  const [dividend, divisor] = operands(values, node);
  code.get(dividend);
  code.get(divisor);
  code.op(`i64.${part === 'quotient' ? 'div' : 'rem'}_${signed ? 's' : 'u'}`);
  if (width === 64) return;
  code.op('i32.wrap_i64');
  values.mask(width);
}

/** Pushes whether the quotient fits; goes to the slow path where i64 is too narrow to say. */
export function divideFitsCode(values: ValueCode, node: DivideFits): void {
  const { code } = values.scope;
  const { signed, divisor: by } = node;
  if (by.width === 64) refuseWide(values, node);
  const [dividend, divisor] = operands(values, node);
  // Neither of the two divisions that trap: by 0, and of the least integer by -1.
  code.get(divisor);
  code.op('i64.eqz');
  code.op('i32.eqz');
  if (signed) {
    code.get(dividend);
    code.i64(-(2n ** 63n));
    code.op('i64.ne');
    code.get(divisor);
    code.i64(-1n);
    code.op('i64.ne');
    code.op('i32.or');
    code.op('i32.and');
  }
  if (by.width === 64) return;
  code.open('if', 'i32');
  code.get(dividend);
  code.get(divisor);
  code.op(`i64.div_${signed ? 's' : 'u'}`);
  const quotient = code.temporary('i64');
  code.tee(quotient);
  code.get(quotient);
  const unused = BigInt(64 - by.width);
  code.i64(unused);
  code.op('i64.shl');
  code.i64(unused);
  code.op(`i64.shr_${signed ? 's' : 'u'}`);
  code.op('i64.eq');
  code.otherwise();
  code.i32(0);
  code.end();
}

/** Both as i64. */
function operands(values: ValueCode, { signed, high, low, divisor }: Divide | DivideFits): readonly [Local, Local] {
  const { code } = values.scope;
  const { width } = divisor;
  if (width === 64) return [values.toLocal(low), values.toLocal(divisor)];
  const [dividend, by] = [code.temporary('i64'), code.temporary('i64')];
  values.push(high);
  if (signed) values.spreadSign(width);
  code.op(signed ? 'i64.extend_i32_s' : 'i64.extend_i32_u');
  code.i64(BigInt(width));
  code.op('i64.shl');
  values.push(low);
  code.op('i64.extend_i32_u');
  code.op('i64.or');
  code.set(dividend);
  values.push(divisor);
  if (signed) values.spreadSign(width);
  code.op(signed ? 'i64.extend_i32_s' : 'i64.extend_i32_u');
  code.set(by);
  return [dividend, by];
}

function refuseWide(values: ValueCode, { signed, high, low }: DivideFits): void {
  const { code } = values.scope;
  values.push(high);
  if (signed) {
    values.push(low);
    code.i64(63n);
    code.op('i64.shr_s');
    code.op('i64.ne');
  } else {
    code.op('i64.eqz');
    code.op('i32.eqz');
  }
  code.brIf(values.slow);
}
