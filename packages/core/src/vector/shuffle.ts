// What moves elements without computing: unpacking, packing, shuffles, blends, extensions, and masks of sign bits.
import { permuted, saturate, type VectorOperation } from './operation.js';

const signed8 = saturate(-0x80, 0x7f);
const unsigned8 = saturate(0, 0xff);
const signed16 = saturate(-0x8000, 0x7fff);
const unsigned16 = saturate(0, 0xffff);

/** Elements of the low or the high halves, in turn. */
const interleavedLow = (bytes: 1 | 2 | 4 | 8): VectorOperation =>
  permuted(bytes, (index, count) => (index >> 1) + (index & 1) * count);
const interleavedHigh = (bytes: 1 | 2 | 4 | 8): VectorOperation =>
  permuted(bytes, (index, count) => count / 2 + (index >> 1) + (index & 1) * count);

/** Bits 2i + 1 and 2i of the immediate. */
const field = (immediate: number, index: number): number => (immediate >> (index * 2)) & 3;

/** Words to bytes, the first operand's first. */
function packedWords(of: (value: number) => number): VectorOperation {
  return {
    compute: ({ signedWords, bytes: lanes }, to, left, right, bytes) => {
      const half = bytes / 2;
      for (let i = 0; i < bytes; i++)
        lanes[to * 4 + i] = of(signedWords[i < half ? left * 2 + i : right * 2 + i - half] as number);
    },
  };
}

function packedDoublewords(of: (value: number) => number): VectorOperation {
  return {
    compute: ({ doublewords, words: lanes }, to, left, right, bytes) => {
      const half = bytes / 4;
      for (let i = 0; i < bytes / 2; i++)
        lanes[to * 2 + i] = of(doublewords[i < half ? left + i : right + i - half] as number);
    },
  };
}

/** Bytes of the first operand by the low bits of each byte of the second, zero where its bit 7 is set. */
const byBytes: VectorOperation = {
  compute: ({ bytes: lanes }, to, left, right, bytes) => {
    for (let i = 0; i < bytes; i++) {
      const control = lanes[right * 4 + i] as number;
      lanes[to * 4 + i] = control & 0x80 ? 0 : (lanes[left * 4 + (control & (bytes - 1))] as number);
    }
  },
};

/** Bytes of first:second from the immediate on, with zeros beyond. */
const aligned: VectorOperation = {
  compute: ({ bytes: lanes }, to, left, right, bytes, immediate) => {
    for (let i = 0; i < bytes; i++) {
      const from = i + immediate;
      const inSecond = from < bytes;
      const isBeyond = from >= 2 * bytes;
      lanes[to * 4 + i] = isBeyond ? 0 : (lanes[inSecond ? right * 4 + from : left * 4 + from - bytes] as number);
    }
  },
};

/** Elements of the second operand where the sign bit of the third's is set. */
function blendedBySigns(elementBytes: 1 | 4 | 8): VectorOperation {
  return {
    compute: ({ bytes: lanes }, to, left, right, bytes, _immediate, third) => {
      for (let i = 0; i < bytes; i++) {
        const sign = lanes[third * 4 + (i | (elementBytes - 1))] as number;
        lanes[to * 4 + i] = lanes[(sign & 0x80 ? right : left) * 4 + i] as number;
      }
    },
  };
}

/** The sign bits of all elements as a number. */
function signs(elementBytes: 1 | 4 | 8, wasm: string): VectorOperation {
  return {
    wasm,
    compute: ({ bytes: lanes, doublewords }, to, left, _right, bytes) => {
      let mask = 0;
      for (let i = 0; i < bytes / elementBytes; i++)
        mask |= ((lanes[left * 4 + (i + 1) * elementBytes - 1] as number) >> 7) << i;
      doublewords[to] = mask;
    },
  };
}

/** The low elements widened. */
function extended(from: 1 | 2 | 4, to: 2 | 4 | 8, isSigned: boolean): VectorOperation {
  return {
    compute: ({ bytes: lanes }, target, source, _right, bytes) => {
      for (let i = 0; i < bytes / to; i++) {
        const sign = isSigned ? ((lanes[source * 4 + i * from + from - 1] as number) >> 7) * 0xff : 0;
        for (let byte = 0; byte < to; byte++)
          lanes[target * 4 + i * to + byte] = byte < from ? (lanes[source * 4 + i * from + byte] as number) : sign;
      }
    },
  };
}

/** ZF in bit 0: no bit is in both; CF in bit 1: the first has all bits of the second. */
const tested: VectorOperation = {
  compute: ({ doublewords: lanes }, to, left, right, bytes) => {
    let [both, missing] = [0, 0];
    for (let i = 0; i < bytes / 4; i++) {
      both |= (lanes[left + i] as number) & (lanes[right + i] as number);
      missing |= ~(lanes[left + i] as number) & (lanes[right + i] as number);
    }
    lanes[to] = (both === 0 ? 1 : 0) | (missing === 0 ? 2 : 0);
  },
};

/** Bits 7:6 of the immediate choose the element of the second operand, 5:4 where it goes, 3:0 what becomes 0. */
const inserted: VectorOperation = {
  compute: ({ doublewords: lanes }, to, left, right, _bytes, immediate) => {
    const value = lanes[right + (immediate >> 6)] as number;
    const at = (immediate >> 4) & 3;
    for (let i = 0; i < 4; i++)
      lanes[to + i] = (immediate >> i) & 1 ? 0 : i === at ? value : (lanes[left + i] as number);
  },
};

export const SHUFFLE_OPERATIONS = {
  interleaveLow8: interleavedLow(1),
  interleaveLow16: interleavedLow(2),
  interleaveLow32: interleavedLow(4),
  interleaveLow64: interleavedLow(8),
  interleaveHigh8: interleavedHigh(1),
  interleaveHigh16: interleavedHigh(2),
  interleaveHigh32: interleavedHigh(4),
  interleaveHigh64: interleavedHigh(8),
  packSigned16: { ...packedWords(signed8), wasm: 'i8x16.narrow_i16x8_s' },
  packUnsigned16: { ...packedWords(unsigned8), wasm: 'i8x16.narrow_i16x8_u' },
  packSigned32: { ...packedDoublewords(signed16), wasm: 'i16x8.narrow_i32x4_s' },
  packUnsigned32: { ...packedDoublewords(unsigned16), wasm: 'i16x8.narrow_i32x4_u' },
  shuffle32: permuted(4, (index, _count, immediate) => field(immediate, index)),
  shuffleLow16: permuted(2, (index, _count, immediate) => (index < 4 ? field(immediate, index) : index)),
  shuffleHigh16: permuted(2, (index, _count, immediate) => (index < 4 ? index : 4 + field(immediate, index - 4))),
  /** Two elements of the first operand, then two of the second. */
  shuffleTwo32: permuted(4, (index, count, immediate) => field(immediate, index) + (index < 2 ? 0 : count)),
  shuffleTwo64: permuted(8, (index, count, immediate) => ((immediate >> index) & 1) + index * count),
  shuffleBytes: byBytes,
  alignBytes: aligned,
  duplicateEven32: permuted(4, (index) => index & ~1),
  duplicateOdd32: permuted(4, (index) => index | 1),
  duplicateLow64: permuted(8, () => 0),
  blend16: permuted(2, (index, count, immediate) => index + ((immediate >> index) & 1) * count),
  blend32: permuted(4, (index, count, immediate) => index + ((immediate >> index) & 1) * count),
  blend64: permuted(8, (index, count, immediate) => index + ((immediate >> index) & 1) * count),
  blendBySigns8: blendedBySigns(1),
  blendBySigns32: blendedBySigns(4),
  blendBySigns64: blendedBySigns(8),
  insert32: inserted,
  signs8: signs(1, 'i8x16.bitmask'),
  signs32: signs(4, 'i32x4.bitmask'),
  signs64: signs(8, 'i64x2.bitmask'),
  test: tested,
  signExtend8to16: { ...extended(1, 2, true), wasm: 'i16x8.extend_low_i8x16_s' },
  signExtend8to32: extended(1, 4, true),
  signExtend8to64: extended(1, 8, true),
  signExtend16to32: { ...extended(2, 4, true), wasm: 'i32x4.extend_low_i16x8_s' },
  signExtend16to64: extended(2, 8, true),
  signExtend32to64: { ...extended(4, 8, true), wasm: 'i64x2.extend_low_i32x4_s' },
  zeroExtend8to16: { ...extended(1, 2, false), wasm: 'i16x8.extend_low_i8x16_u' },
  zeroExtend8to32: extended(1, 4, false),
  zeroExtend8to64: extended(1, 8, false),
  zeroExtend16to32: { ...extended(2, 4, false), wasm: 'i32x4.extend_low_i16x8_u' },
  zeroExtend16to64: extended(2, 8, false),
  zeroExtend32to64: { ...extended(4, 8, false), wasm: 'i64x2.extend_low_i32x4_u' },
} as const satisfies Readonly<Record<string, VectorOperation>>;
