// Integer arithmetic, comparisons and logic on elements (SDM, "SSE2 128-Bit SIMD Integer Instructions" and what SSSE3 and
// SSE4.1 add). The same rows serve MMX registers.
import type { Lanes } from './lanes.js';
import { each, saturate, type VectorOperation } from './operation.js';

const signed8 = saturate(-0x80, 0x7f);
const unsigned8 = saturate(0, 0xff);
const signed16 = saturate(-0x8000, 0x7fff);
const unsigned16 = saturate(0, 0xffff);

const sum = (a: number, b: number): number => a + b;
const difference = (a: number, b: number): number => a - b;
const least = (a: number, b: number): number => Math.min(a, b);
const most = (a: number, b: number): number => Math.max(a, b);
const isEqual = (a: number, b: number): number => (a === b ? -1 : 0);
const isGreater = (a: number, b: number): number => (a > b ? -1 : 0);
const average = (a: number, b: number): number => (a + b + 1) >> 1;
/** The first operand with the sign of the second. */
const withSign = (a: number, b: number): number => (b < 0 ? -a : b === 0 ? 0 : a);
const magnitude = (a: number): number => (a < 0 ? -a : a);

/** Each 64-bit element by BigInt-free halves. */
function wideEach(of: (lanes: Lanes, to: number, left: number, right: number) => void, wasm?: string): VectorOperation {
  const compute: VectorOperation['compute'] = (lanes, to, left, right, bytes) => {
    for (let word = 0; word < bytes / 4; word += 2) of(lanes, to + word, left + word, right + word);
  };
  return wasm === undefined ? { compute } : { compute, wasm };
}

function add64({ unsignedDoublewords: lanes }: Lanes, to: number, left: number, right: number): void {
  const low = (lanes[left] as number) + (lanes[right] as number);
  lanes[to] = low;
  lanes[to + 1] = (lanes[left + 1] as number) + (lanes[right + 1] as number) + (low >= 2 ** 32 ? 1 : 0);
}

function sub64({ unsignedDoublewords: lanes }: Lanes, to: number, left: number, right: number): void {
  const low = (lanes[left] as number) - (lanes[right] as number);
  lanes[to] = low;
  lanes[to + 1] = (lanes[left + 1] as number) - (lanes[right + 1] as number) - (low < 0 ? 1 : 0);
}

/** A product of two unsigned doublewords. */
function multiplyUnsigned({ unsignedDoublewords: lanes }: Lanes, to: number, left: number, right: number): void {
  const [a, b] = [lanes[left] as number, lanes[right] as number];
  const [low, high] = [a & 0xffff, a >>> 16];
  const first = low * b; // 48 bits
  const second = high * b + Math.floor(first / 0x1_0000);
  lanes[to] = (second % 0x1_0000) * 0x1_0000 + (first % 0x1_0000);
  lanes[to + 1] = Math.floor(second / 0x1_0000);
}

/** A product of two signed doublewords: the unsigned one, less each operand where the other is negative. */
function multiplySigned(lanes: Lanes, to: number, left: number, right: number): void {
  const { doublewords } = lanes;
  multiplyUnsigned(lanes, to, left, right);
  const [a, b] = [doublewords[left] as number, doublewords[right] as number];
  doublewords[to + 1] = ((doublewords[to + 1] as number) - (a < 0 ? b : 0) - (b < 0 ? a : 0)) | 0;
}

function equal64({ doublewords: lanes }: Lanes, to: number, left: number, right: number): void {
  const is = lanes[left] === lanes[right] && lanes[left + 1] === lanes[right + 1] ? -1 : 0;
  lanes[to] = is;
  lanes[to + 1] = is;
}

function greater64(
  { doublewords: high, unsignedDoublewords: low }: Lanes,
  to: number,
  left: number,
  right: number,
): void {
  const [a, b] = [high[left + 1] as number, high[right + 1] as number];
  const is = a > b || (a === b && (low[left] as number) > (low[right] as number)) ? -1 : 0;
  high[to] = is;
  high[to + 1] = is;
}

/** Sums of products of pairs of words; only two products of 8000H by 8000H overflow, to 8000_0000H. */
const multiplyAdd16: VectorOperation = {
  wasm: 'i32x4.dot_i16x8_s',
  compute: ({ signedWords, doublewords }, to, left, right, bytes) => {
    for (let i = 0; i < bytes / 4; i++) {
      const [a, b] = [left * 2 + i * 2, right * 2 + i * 2];
      const first = (signedWords[a] as number) * (signedWords[b] as number);
      doublewords[to + i] = first + (signedWords[a + 1] as number) * (signedWords[b + 1] as number);
    }
  },
};

/** Unsigned bytes of the first operand by signed ones of the second, added in pairs and saturated. */
const multiplyAdd8: VectorOperation = {
  compute: ({ bytes: unsigned, signedBytes, signedWords }, to, left, right, bytes) => {
    for (let i = 0; i < bytes / 2; i++) {
      const [a, b] = [left * 4 + i * 2, right * 4 + i * 2];
      const first = (unsigned[a] as number) * (signedBytes[b] as number);
      signedWords[to * 2 + i] = signed16(first + (unsigned[a + 1] as number) * (signedBytes[b + 1] as number));
    }
  },
};

/** Sums of absolute differences of eight bytes each. */
const sumOfDifferences: VectorOperation = {
  compute: ({ bytes: lanes, doublewords }, to, left, right, bytes) => {
    for (let half = 0; half < bytes; half += 8) {
      let total = 0;
      for (let i = half; i < half + 8; i++)
        total += Math.abs((lanes[left * 4 + i] as number) - (lanes[right * 4 + i] as number));
      doublewords[to + half / 4] = total;
      doublewords[to + half / 4 + 1] = 0;
    }
  },
};

/** Eight sums of four differences: bytes at the place that bit 2 names, against the four that bits 1:0 name. */
const multipleSumsOfDifferences: VectorOperation = {
  compute: ({ bytes: lanes, words }, to, left, right, _bytes, immediate) => {
    const first = left * 4 + (immediate & 4);
    const second = right * 4 + (immediate & 3) * 4;
    for (let i = 0; i < 8; i++) {
      let total = 0;
      for (let j = 0; j < 4; j++) total += Math.abs((lanes[first + i + j] as number) - (lanes[second + j] as number));
      words[to * 2 + i] = total;
    }
  },
};

/** The least unsigned word and, above it, its number. */
const leastWord: VectorOperation = {
  compute: ({ words, doublewords }, to, left) => {
    let found = 0;
    for (let i = 1; i < 8; i++) if ((words[left * 2 + i] as number) < (words[left * 2 + found] as number)) found = i;
    doublewords[to] = (words[left * 2 + found] as number) | (found << 16);
    doublewords.fill(0, to + 1, to + 4);
  },
};

/** Pairs of neighbours, those of the first operand first. */
function horizontal16(of: (a: number, b: number) => number): VectorOperation {
  return {
    compute: ({ signedWords: lanes }, to, left, right, bytes) => {
      const half = bytes / 4;
      for (let i = 0; i < half * 2; i++) {
        const from = i < half ? left * 2 + i * 2 : right * 2 + (i - half) * 2;
        lanes[to * 2 + i] = of(lanes[from] as number, lanes[from + 1] as number);
      }
    },
  };
}

function horizontal32(of: (a: number, b: number) => number): VectorOperation {
  return {
    compute: ({ doublewords: lanes }, to, left, right, bytes) => {
      const half = bytes / 8;
      for (let i = 0; i < half * 2; i++) {
        const from = i < half ? left + i * 2 : right + (i - half) * 2;
        lanes[to + i] = of(lanes[from] as number, lanes[from + 1] as number);
      }
    },
  };
}

function logic(of: (a: number, b: number) => number, wasm?: string): VectorOperation {
  return each.s32(of, wasm);
}

export const INTEGER_OPERATIONS = {
  add8: each.u8(sum, 'i8x16.add'),
  add16: each.u16(sum, 'i16x8.add'),
  add32: each.s32(sum, 'i32x4.add'),
  add64: wideEach(add64, 'i64x2.add'),
  sub8: each.u8(difference, 'i8x16.sub'),
  sub16: each.u16(difference, 'i16x8.sub'),
  sub32: each.s32(difference, 'i32x4.sub'),
  sub64: wideEach(sub64, 'i64x2.sub'),
  addSaturateSigned8: each.s8((a, b) => signed8(a + b), 'i8x16.add_sat_s'),
  addSaturateSigned16: each.s16((a, b) => signed16(a + b), 'i16x8.add_sat_s'),
  addSaturateUnsigned8: each.u8((a, b) => unsigned8(a + b), 'i8x16.add_sat_u'),
  addSaturateUnsigned16: each.u16((a, b) => unsigned16(a + b), 'i16x8.add_sat_u'),
  subSaturateSigned8: each.s8((a, b) => signed8(a - b), 'i8x16.sub_sat_s'),
  subSaturateSigned16: each.s16((a, b) => signed16(a - b), 'i16x8.sub_sat_s'),
  subSaturateUnsigned8: each.u8((a, b) => unsigned8(a - b), 'i8x16.sub_sat_u'),
  subSaturateUnsigned16: each.u16((a, b) => unsigned16(a - b), 'i16x8.sub_sat_u'),
  multiplyLow16: each.s16(Math.imul, 'i16x8.mul'),
  multiplyLow32: each.s32(Math.imul, 'i32x4.mul'),
  multiplyHighSigned16: each.s16((a, b) => (a * b) >> 16),
  multiplyHighUnsigned16: each.u16((a, b) => (a * b) >>> 16),
  multiplyHighRounded16: each.s16((a, b) => (((a * b) >> 14) + 1) >> 1),
  multiplyUnsigned32: wideEach(multiplyUnsigned),
  multiplySigned32: wideEach(multiplySigned),
  multiplyAdd16,
  multiplyAdd8,
  minSigned8: each.s8(least, 'i8x16.min_s'),
  minSigned16: each.s16(least, 'i16x8.min_s'),
  minSigned32: each.s32(least, 'i32x4.min_s'),
  minUnsigned8: each.u8(least, 'i8x16.min_u'),
  minUnsigned16: each.u16(least, 'i16x8.min_u'),
  minUnsigned32: each.u32(least, 'i32x4.min_u'),
  maxSigned8: each.s8(most, 'i8x16.max_s'),
  maxSigned16: each.s16(most, 'i16x8.max_s'),
  maxSigned32: each.s32(most, 'i32x4.max_s'),
  maxUnsigned8: each.u8(most, 'i8x16.max_u'),
  maxUnsigned16: each.u16(most, 'i16x8.max_u'),
  maxUnsigned32: each.u32(most, 'i32x4.max_u'),
  equal8: each.u8(isEqual, 'i8x16.eq'),
  equal16: each.u16(isEqual, 'i16x8.eq'),
  equal32: each.s32(isEqual, 'i32x4.eq'),
  equal64: wideEach(equal64, 'i64x2.eq'),
  greaterSigned8: each.s8(isGreater, 'i8x16.gt_s'),
  greaterSigned16: each.s16(isGreater, 'i16x8.gt_s'),
  greaterSigned32: each.s32(isGreater, 'i32x4.gt_s'),
  greaterSigned64: wideEach(greater64, 'i64x2.gt_s'),
  average8: each.u8(average, 'i8x16.avgr_u'),
  average16: each.u16(average, 'i16x8.avgr_u'),
  withSign8: each.s8(withSign),
  withSign16: each.s16(withSign),
  withSign32: each.s32(withSign),
  absolute8: each.s8((_, b) => magnitude(b), 'i8x16.abs'),
  absolute16: each.s16((_, b) => magnitude(b), 'i16x8.abs'),
  absolute32: each.s32((_, b) => magnitude(b), 'i32x4.abs'),
  sumOfDifferences,
  multipleSumsOfDifferences,
  leastWord,
  horizontalAdd16: horizontal16(sum),
  horizontalAdd32: horizontal32(sum),
  horizontalAddSaturate16: horizontal16((a, b) => signed16(a + b)),
  horizontalSub16: horizontal16(difference),
  horizontalSub32: horizontal32(difference),
  horizontalSubSaturate16: horizontal16((a, b) => signed16(a - b)),
  and: logic((a, b) => a & b, 'v128.and'),
  andNot: logic((a, b) => ~a & b),
  or: logic((a, b) => a | b, 'v128.or'),
  xor: logic((a, b) => a ^ b, 'v128.xor'),
} as const satisfies Readonly<Record<string, VectorOperation>>;
