// DIV and IDIV: quotient, remainder and whether they fit, in one closure. Up to 32 bits in plain numbers; 64 bits in plain
// numbers while the values are small enough to be exact, else in BigInt. What does not fit gives 0: the effect raises #DE
// and nobody sees it.
import type { Width } from '../../expression/nodes.js';
import { high, low, put, putWide, type Source, type Step } from './source.js';

/** Operands of a division, and the slots of its three results. */
export interface DivisionStep {
  readonly words: Int32Array;
  readonly width: Width;
  readonly signed: boolean;
  readonly high: Source;
  readonly low: Source;
  readonly divisor: Source;
  readonly quotient: number;
  readonly remainder: number;
  readonly fits: number;
}

/** The second result of a division in plain numbers. */
const divided = { remainder: 0 };
/** What a division that does not fit gives. */
const NO_QUOTIENT = -1;

export function divisionStep(step: DivisionStep): Step {
  if (step.width === 64) return wideDivision(step);
  return step.signed ? narrowSigned(step) : narrowUnsigned(step);
}

/**
 * `high:low / divisor`, two digits of half the width: each dividend stays below 2^48, where a quotient in floating point
 * is wrong by less than its distance from the next integer. All unsigned.
 */
function divideDigits(dividendHigh: number, dividendLow: number, divisor: number, width: Width): number {
  if (dividendHigh >= divisor) return NO_QUOTIENT; // includes a divisor of 0
  const radix = 2 ** (width / 2);
  const upper = dividendHigh * radix + Math.floor(dividendLow / radix);
  const upperDigit = Math.floor(upper / divisor);
  const lower = (upper - upperDigit * divisor) * radix + (dividendLow % radix);
  const lowerDigit = Math.floor(lower / divisor);
  divided.remainder = lower - lowerDigit * divisor;
  return upperDigit * radix + lowerDigit;
}

function narrowUnsigned({
  words,
  width,
  high: upper,
  low: lower,
  divisor,
  quotient,
  remainder,
  fits,
}: DivisionStep): Step {
  return () => {
    const result = divideDigits(low(words, upper) >>> 0, low(words, lower) >>> 0, low(words, divisor) >>> 0, width);
    put(words, fits, result === NO_QUOTIENT ? 0 : 1);
    put(words, quotient, result === NO_QUOTIENT ? 0 : result | 0);
    put(words, remainder, result === NO_QUOTIENT ? 0 : divided.remainder | 0);
  };
}

/** By magnitudes: the quotient is rounded towards zero, the remainder has the sign of the dividend. */
function narrowSigned({
  words,
  width,
  high: upper,
  low: lower,
  divisor,
  quotient,
  remainder,
  fits,
}: DivisionStep): Step {
  const spare = 32 - width;
  const size = 2 ** width;
  return () => {
    const signedHigh = (low(words, upper) << spare) >> spare;
    const dividendLow = low(words, lower) >>> 0;
    const by = (low(words, divisor) << spare) >> spare;
    const negative = signedHigh < 0;
    const magnitudeLow = negative && dividendLow !== 0 ? size - dividendLow : dividendLow;
    const magnitudeHigh = negative ? -signedHigh - (dividendLow === 0 ? 0 : 1) : signedHigh;
    const magnitude = divideDigits(magnitudeHigh, magnitudeLow, Math.abs(by), width);
    const opposite = negative !== by < 0;
    const fit = magnitude !== NO_QUOTIENT && magnitude <= size / 2 - (opposite ? 0 : 1);
    const mask = -1 >>> spare;
    put(words, fits, fit ? 1 : 0);
    put(words, quotient, fit ? (opposite ? -magnitude : magnitude) & mask : 0);
    put(words, remainder, fit ? (negative ? -divided.remainder : divided.remainder) & mask : 0);
  };
}

/** The halves of a value that fits 52 bits with its sign: what plain numbers divide exactly. */
const isSmall = (valueHigh: number): boolean => valueHigh >> 19 === valueHigh >> 31;

function wideDivision(step: DivisionStep): Step {
  const { words, signed, high: upper, low: lower, divisor, quotient, remainder, fits } = step;
  return () => {
    const lowerHigh = high(words, lower);
    const by = high(words, divisor);
    const extension = signed ? lowerHigh >> 31 : 0;
    const short = low(words, upper) === extension && high(words, upper) === extension;
    const positive = lowerHigh >= 0 && by >= 0;
    if (!short || !isSmall(lowerHigh) || !isSmall(by) || !(signed || positive)) return divideLarge(step);
    const dividend = lowerHigh * 0x1_0000_0000 + (low(words, lower) >>> 0);
    const number = by * 0x1_0000_0000 + (low(words, divisor) >>> 0);
    if (number === 0) return putResults(step, 0, 0n, 0n);
    const result = Math.trunc(dividend / number);
    put(words, fits, 1);
    putNumber(words, quotient, result);
    putNumber(words, remainder, dividend - result * number);
  };
}

function putNumber(words: Int32Array, to: number, value: number): void {
  putWide(words, to, value | 0, Math.floor(value / 0x1_0000_0000) | 0);
}

function divideLarge(step: DivisionStep): void {
  const { words, signed } = step;
  const whole = (quad(words, step.high) << 64n) | quad(words, step.low);
  const divisor = signed ? BigInt.asIntN(64, quad(words, step.divisor)) : quad(words, step.divisor);
  if (divisor === 0n) {
    putResults(step, 0, 0n, 0n);
    return;
  }
  const dividend = signed ? BigInt.asIntN(128, whole) : whole;
  const quotient = dividend / divisor;
  const fit = quotient === (signed ? BigInt.asIntN(64, quotient) : BigInt.asUintN(64, quotient));
  if (fit) putResults(step, 1, quotient, dividend % divisor);
  else putResults(step, 0, 0n, 0n);
}

function quad(words: Int32Array, source: Source): bigint {
  return (BigInt(high(words, source) >>> 0) << 32n) | BigInt(low(words, source) >>> 0);
}

function putResults(
  { words, quotient, remainder, fits }: DivisionStep,
  fit: number,
  wholes: bigint,
  rest: bigint,
): void {
  put(words, fits, fit);
  putWide(words, quotient, Number(BigInt.asIntN(32, wholes)), Number(BigInt.asIntN(32, wholes >> 32n)));
  putWide(words, remainder, Number(BigInt.asIntN(32, rest)), Number(BigInt.asIntN(32, rest >> 32n)));
}
