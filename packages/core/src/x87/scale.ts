// SDM, "FSCALE—Scale" and "FXTRACT—Extract Exponent and Significand".
import { BIAS, bitLength, type Extended, infinity, packed, type Unpacked, zero } from './extended.js';
import { fromInteger } from './integer.js';
import { decided, type Result } from './operands.js';
import { rounded } from './rounding.js';
import { type Arithmetic, EXCEPTION } from './status.js';

/** More than any exponent can move: beyond it a scale only overflows or underflows. */
const FARTHEST = 1 << 17;

/** ST(0) times two to the power of ST(1), chopped. */
export function scale(arithmetic: Arithmetic, operand: Unpacked, amount: Unpacked): Result {
  const invalid =
    amount.kind === 'infinity' &&
    ((operand.kind === 'zero' && !amount.negative) || (operand.kind === 'infinity' && amount.negative));
  return decided(arithmetic, { operands: [operand, amount], invalid }, () => {
    if (operand.kind !== 'finite') return operand.bits;
    if (amount.kind === 'infinity') return amount.negative ? zero(operand.negative) : infinity(operand.negative);
    return rounded(arithmetic, { ...operand, exponent: operand.exponent + chopped(amount) }, 64);
  });
}

function chopped({ negative, significand, exponent }: Unpacked): number {
  if (significand === 0n || exponent < -64) return 0;
  const whole = exponent >= 0 ? significand << BigInt(Math.min(exponent, 64)) : significand >> BigInt(-exponent);
  const size = whole > BigInt(FARTHEST) ? FARTHEST : Number(whole);
  return negative ? -size : size;
}

/** ST(0) becomes the exponent, and the significand is pushed. */
export interface Extracted {
  readonly exponent: Extended;
  readonly significand: Extended;
}

export function extracted(arithmetic: Arithmetic, operand: Unpacked): Extracted | undefined {
  if (operand.kind === 'zero')
    return arithmetic.raise(EXCEPTION.ZE) ? { exponent: infinity(true), significand: operand.bits } : undefined;
  if (operand.kind === 'infinity') return { exponent: infinity(false), significand: operand.bits };
  if (operand.kind !== 'finite') {
    const answer = decided(arithmetic, { operands: [operand] }, () => operand.bits);
    return answer === undefined ? undefined : { exponent: answer, significand: answer };
  }
  if (operand.denormal && !arithmetic.raise(EXCEPTION.DE)) return undefined;
  const length = bitLength(operand.significand);
  return {
    exponent: fromInteger(BigInt(operand.exponent + length - 1)),
    significand: packed(operand.negative, BIAS, operand.significand << BigInt(64 - length)),
  };
}
