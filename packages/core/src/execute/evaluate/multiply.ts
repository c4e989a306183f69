// IMUL with a destination: the product cut to its width, CF and OF set where bits were lost, in one closure. In pieces, the
// test for lost bits is the high half of the product compared with copies of the sign: six steps, and one for the flags.
import type { Binary, Effect, Expression, RegisterPlace, SetFlags } from '../../expression/nodes.js';
import { RFLAGS } from '../../register/rflags.js';
import { RFLAGS_WORD, settleFlags } from './flags.js';
import { multiplyHigh } from './narrow-operators.js';
import { high, low, maskOf, type Source, type Step, spareBits } from './source.js';

/** A product whose lost bits are told by two flags. */
export interface Product {
  readonly place: RegisterPlace;
  readonly left: Expression;
  readonly right: Expression;
}

/** The parts of an effect of this shape; undefined for any other. */
export function productOf([write, flags, ...more]: Effect): Product | undefined {
  if (write?.kind !== 'write' || write.place.kind !== 'register' || flags?.kind !== 'setFlags') return undefined;
  const { place, value } = write;
  if (more.length > 0 || value.kind !== 'binary' || value.operator !== 'mul') return undefined;
  return tellsLostBits(flags, value) ? { place, left: value.left, right: value.right } : undefined;
}

/** Whether CF and OF, and no other flags, are: the high half is other than copies of the low half's sign. */
function tellsLostBits({ flags, when }: SetFlags, product: Binary): boolean {
  const { CF: lost, OF, ...others } = flags;
  if (when !== undefined || lost === undefined || lost !== OF || Object.keys(others).length > 0) return false;
  const same = lost.kind === 'unary' && lost.operator === 'not' ? lost.operand : undefined;
  if (same?.kind !== 'compare' || same.operator !== 'equal') return false;
  const { left: upper, right: sign } = same;
  if (upper.kind !== 'binary' || upper.operator !== 'mulHighSigned') return false;
  if (upper.left !== product.left || upper.right !== product.right) return false;
  if (sign.kind !== 'binary' || sign.operator !== 'sar' || sign.left !== product) return false;
  return sign.right.kind === 'constant' && sign.right.value === BigInt(product.width - 1);
}

/** The closure: `to` is the word of the slot that takes the product. */
export function productStep(
  words: Int32Array,
  width: RegisterPlace['width'],
  left: Source,
  right: Source,
  to: number,
): Step {
  if (width === 64) return wideProduct(words, left, right, to);
  const [spare, mask] = [spareBits(width), maskOf(width)];
  return () => {
    const a = (low(words, left) << spare) >> spare;
    const b = (low(words, right) << spare) >> spare;
    const product = Math.imul(a, b);
    // Rounded to 53 bits, a product beyond 32 bits is still beyond them.
    writeLost(words, a * b !== (product << spare) >> spare);
    words[to] = product & mask;
    words[to + 1] = 0;
  };
}

function wideProduct(words: Int32Array, left: Source, right: Source, to: number): Step {
  return () => {
    const a = low(words, left);
    const aHigh = high(words, left);
    const b = low(words, right);
    const bHigh = high(words, right);
    writeLost(words, losesBits(a, aHigh, b, bHigh));
    words[to] = Math.imul(a, b);
    words[to + 1] = multiplyHigh(a, b) + Math.imul(a, bHigh) + Math.imul(aHigh, b);
  };
}

const HALF = 2 ** 32;
/** A product of rounded factors is wrong by three times 2^-53 of itself at the most. */
const SURELY_FITS = 2 ** 63 * (1 - 2 ** -50);
const SURELY_LOST = 2 ** 63 * (1 + 2 ** -50);

/** Whether the product of two signed integers of 64 bits has more of them. */
function losesBits(a: number, aHigh: number, b: number, bHigh: number): boolean {
  const size = Math.abs((aHigh * HALF + (a >>> 0)) * (bHigh * HALF + (b >>> 0)));
  if (size < SURELY_FITS) return false;
  return size > SURELY_LOST || losesBitsExactly(a, aHigh, b, bHigh);
}

function losesBitsExactly(a: number, aHigh: number, b: number, bHigh: number): boolean {
  const whole = (lower: number, upper: number): bigint => (BigInt(upper) << 32n) | BigInt(lower >>> 0);
  const product = whole(a, aHigh) * whole(b, bHigh);
  return BigInt.asIntN(64, product) !== product;
}

const LOST = (1 << RFLAGS.bits.CF) | (1 << RFLAGS.bits.OF);

/** CF and OF; the other four flags stay. */
function writeLost(words: Int32Array, isLost: boolean): void {
  settleFlags(words);
  const others = (words[RFLAGS_WORD] as number) & ~LOST;
  words[RFLAGS_WORD] = isLost ? others | LOST : others;
}
