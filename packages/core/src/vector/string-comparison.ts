// SDM, "Comparison and String Processing Instructions" and "PCMPxSTRx" (chapter 4.1 of volume 2, "Imm8 Control Byte
// Operation"): two strings in vectors, compared all against all. The lengths come from EAX and EDX or from a terminating
// zero. Each row gives a number: the flags and the index, or the mask as a vector.
import type { Lanes } from './lanes.js';
import type { VectorOperation } from './operation.js';

/** Fields of the immediate. */
const format = (immediate: number): number => immediate & 3;
const aggregation = (immediate: number): number => (immediate >> 2) & 3;
const polarity = (immediate: number): number => (immediate >> 4) & 3;
const isUpper = (immediate: number): boolean => (immediate & 0x40) !== 0;

const WORDS = 1;
const SIGNED = 2;
const [EQUAL_ANY, RANGES, EQUAL_EACH] = [0, 1, 2];
const [MASKED_NEGATIVE, NEGATIVE] = [3, 1];

/** Elements of a vector: 8 words or 16 bytes. */
const countOf = (immediate: number): number => (immediate & WORDS ? 8 : 16);

function elementAt(lanes: Lanes, place: number, index: number, immediate: number): number {
  const isSigned = (format(immediate) & SIGNED) !== 0;
  if (immediate & WORDS) return (isSigned ? lanes.signedWords : lanes.words)[place * 2 + index] as number;
  return (isSigned ? lanes.signedBytes : lanes.bytes)[place * 4 + index] as number;
}

/** Elements before the first zero. */
function implicitLength(lanes: Lanes, place: number, immediate: number): number {
  const count = countOf(immediate);
  for (let index = 0; index < count; index++) if (elementAt(lanes, place, index, immediate) === 0) return index;
  return count;
}

/** What comparison j of element i of the second string is, with what the manual forces beyond an end. */
type Compared = (i: number, j: number) => boolean;

/** IntRes1: one bit an element of the second string. */
function aggregate(immediate: number, lengths: readonly [number, number], equals: Compared, inRange: Compared): number {
  const count = countOf(immediate);
  const [first, second] = lengths;
  let result = 0;
  for (let i = 0; i < count; i++) if (matchesAt(i)) result |= 1 << i;
  return result;

  function matchesAt(i: number): boolean {
    switch (aggregation(immediate)) {
      case EQUAL_ANY:
        return i < second && indexes(first).some((j) => equals(i, j));
      case RANGES:
        return i < second && indexes(first - (first % 2)).some((j) => j % 2 === 0 && inRange(i, j));
      case EQUAL_EACH:
        return i < first && i < second ? equals(i, i) : i >= first && i >= second;
      default: // equal ordered: the first string begins at element i of the second
        return indexes(count - i).every((j) => j >= first || (i + j < second && equals(i + j, j)));
    }
  }
}

const INDEXES = Array.from({ length: 17 }, (_, count) => Array.from({ length: count }, (__, index) => index));
const indexes = (count: number): readonly number[] => INDEXES[count] as readonly number[];

/** IntRes2: IntRes1, negated as a whole or up to the end of the second string. */
function withPolarity(result: number, immediate: number, second: number): number {
  const all = (1 << countOf(immediate)) - 1;
  if (polarity(immediate) === NEGATIVE) return result ^ all;
  return polarity(immediate) === MASKED_NEGATIVE ? result ^ ((1 << second) - 1) : result;
}

function compare(
  lanes: Lanes,
  left: number,
  right: number,
  immediate: number,
  lengths: readonly [number, number],
): number {
  const firstAt = (index: number): number => elementAt(lanes, left, index, immediate);
  const secondAt = (index: number): number => elementAt(lanes, right, index, immediate);
  const result = aggregate(
    immediate,
    lengths,
    (i, j) => secondAt(i) === firstAt(j),
    (i, j) => secondAt(i) >= firstAt(j) && secondAt(i) <= firstAt(j + 1),
  );
  return withPolarity(result, immediate, lengths[1]);
}

/** CF in bit 0, ZF in bit 1, SF in bit 2, OF in bit 3; the index in bits 12:8. */
function summary(result: number, immediate: number, [first, second]: readonly [number, number]): number {
  const count = countOf(immediate);
  const lowest = 31 - Math.clz32(result & -result);
  const highest = 31 - Math.clz32(result);
  const index = result === 0 ? count : isUpper(immediate) ? highest : lowest;
  const flags = [result !== 0, second < count, first < count, (result & 1) === 1];
  return flags.reduce((bits, flag, bit) => bits | (Number(flag) << bit), index << 8);
}

/** A bit an element, or all ones in each element that matched. */
function mask({ words, bytes, doublewords }: Lanes, to: number, result: number, immediate: number): void {
  doublewords.fill(0, to, to + 4);
  if (!isUpper(immediate)) doublewords[to] = result;
  else if (immediate & WORDS) for (let i = 0; i < 8; i++) words[to * 2 + i] = (result >> i) & 1 ? 0xffff : 0;
  else for (let i = 0; i < 16; i++) bytes[to * 4 + i] = (result >> i) & 1 ? 0xff : 0;
}

const implicitLengths = (lanes: Lanes, left: number, right: number, immediate: number): readonly [number, number] => [
  implicitLength(lanes, left, immediate),
  implicitLength(lanes, right, immediate),
];

/** The third operand holds both lengths, 64 bits each and signed: their magnitudes count, up to the vector's elements. */
function explicitLengths({ quadwords }: Lanes, third: number, immediate: number): readonly [number, number] {
  const lengthAt = (place: number): number => {
    const length = BigInt.asIntN(64, quadwords[place] as bigint);
    const magnitude = length < 0n ? -length : length;
    const most = BigInt(countOf(immediate));
    return Number(magnitude < most ? magnitude : most);
  };
  return [lengthAt(third / 2), lengthAt(third / 2 + 1)];
}

export const STRING_OPERATIONS = {
  compareImplicit: {
    compute: (lanes, to, left, right, _bytes, immediate) => {
      const lengths = implicitLengths(lanes, left, right, immediate);
      lanes.doublewords[to] = summary(compare(lanes, left, right, immediate, lengths), immediate, lengths);
    },
  },
  compareImplicitMask: {
    compute: (lanes, to, left, right, _bytes, immediate) =>
      mask(
        lanes,
        to,
        compare(lanes, left, right, immediate, implicitLengths(lanes, left, right, immediate)),
        immediate,
      ),
  },
  compareExplicit: {
    compute: (lanes, to, left, right, _bytes, immediate, third) => {
      const lengths = explicitLengths(lanes, third, immediate);
      lanes.doublewords[to] = summary(compare(lanes, left, right, immediate, lengths), immediate, lengths);
    },
  },
  compareExplicitMask: {
    compute: (lanes, to, left, right, _bytes, immediate, third) =>
      mask(lanes, to, compare(lanes, left, right, immediate, explicitLengths(lanes, third, immediate)), immediate),
  },
} as const satisfies Readonly<Record<string, VectorOperation>>;
