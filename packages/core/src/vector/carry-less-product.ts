// SDM, "PCLMULQDQ—Carry-Less Multiplication Quadword": bits 0 and 4 of the immediate choose the quadwords.
import type { VectorOperation } from './operation.js';

const HALF = 64n;

/** The product of two polynomials over GF(2). */
function carryLessProduct(left: bigint, right: bigint): bigint {
  let product = 0n;
  for (let [bits, factor] = [right, left]; bits !== 0n; bits >>= 1n, factor <<= 1n) if (bits & 1n) product ^= factor;
  return product;
}

export const CARRY_LESS_OPERATIONS = {
  carryLessProduct: {
    compute: ({ quadwords }, to, left, right, _bytes, immediate) => {
      const [a, b] = [quadwords[left / 2 + (immediate & 1)], quadwords[right / 2 + ((immediate >> 4) & 1)]];
      const product = carryLessProduct(a as bigint, b as bigint);
      quadwords[to / 2] = product;
      quadwords[to / 2 + 1] = product >> HALF;
    },
  },
} as const satisfies Readonly<Record<string, VectorOperation>>;
