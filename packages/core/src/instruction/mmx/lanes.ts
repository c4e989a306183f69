// The operations on lanes (vector/operations.ts) for quadwords: the rows that XMM registers use, at 64 bits.
import { lanesOf } from '../../vector/lanes.js';
import { VECTOR_OPERATIONS, type VectorOperationName } from '../../vector/operations.js';

/** Places of the operands and of the result, as numbers of 32-bit words. */
const [LEFT, RIGHT, RESULT] = [0, 4, 8] as const;
const BYTES = 8;
/** Nothing is kept here from one operation to the next. */
const words = new Int32Array(RESULT + 4);
const lanes = lanesOf(words);

/** One operation on two quadwords. What gives a number of 32 bits leaves it in the low half. */
export function onQuadwords(operation: VectorOperationName, left: bigint, right: bigint, immediate = 0): bigint {
  words.fill(0);
  lanes.quadwords[LEFT / 2] = left;
  lanes.quadwords[RIGHT / 2] = right;
  VECTOR_OPERATIONS[operation].compute(lanes, RESULT, LEFT, RIGHT, BYTES, immediate, LEFT);
  return lanes.quadwords[RESULT / 2] ?? 0n;
}
