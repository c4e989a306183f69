// RCPPS and RSQRTPS (SDM, "RCPPS—Compute Reciprocals of Packed Single Precision Floating-Point Values"): approximations with
// a relative error of at most 1.5 times two to -12. Processors differ in the bits. Ours are the exact result, rounded to
// twelve bits: the manual's bound holds, and a run gives the same on every host. No exceptions; MXCSR is not read.

import { bitsAt, type Element, storeBits } from './element.js';
import { BINARY32, unpack } from './format.js';

/** Of the 24 bits of a single, the lower twelve, and half a unit of the upper ones. */
const [DROPPED, HALF] = [0xfff, 0x800];

/** Denormal sources are zeros of their sign, whatever DAZ is, and denormal results too. */
function approximation(ofMagnitude: (value: number) => number, takesNegative: boolean): Element {
  return (lanes, to, left) => {
    const number = unpack(bitsAt(lanes, left, 32), BINARY32);
    const sign = number.isNegative ? BINARY32.sign : 0n;
    const store = (bits: bigint): number => {
      storeBits(lanes, to, 32, bits);
      return 0;
    };
    if (number.kind === 'quiet' || number.kind === 'signaling') return store(number.bits | BINARY32.quiet);
    if (number.kind === 'zero' || number.isDenormal) return store(sign | BINARY32.infinity);
    if (number.isNegative && !takesNegative) return store(BINARY32.indefinite);
    if (number.kind === 'infinity') return store(sign);
    const magnitude = ofMagnitude(Math.abs(lanes.singles[left] as number));
    if (magnitude < 2 ** BINARY32.leastExponent) return store(sign);
    lanes.singles[to] = magnitude;
    lanes.doublewords[to] = ((lanes.doublewords[to] as number) + HALF) & ~DROPPED;
    return store(bitsAt(lanes, to, 32) | sign);
  };
}

export const reciprocal = approximation((value) => 1 / value, true);
export const reciprocalRoot = approximation((value) => 1 / Math.sqrt(value), false);
