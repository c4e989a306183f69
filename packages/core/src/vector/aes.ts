// The rounds of AES (SDM, "AESENC—Perform One Round of an AES Encryption Flow" and its fellows; FIPS 197). The tables are
// computed, not typed in: the inverse in GF(2^8), then the affine transformation.
import type { Lanes } from './lanes.js';
import type { VectorOperation } from './operation.js';

/** x times the byte in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1. */
const doubled = (byte: number): number => ((byte << 1) ^ (byte & 0x80 ? 0x11b : 0)) & 0xff;

function product(left: number, right: number): number {
  let [result, factor] = [0, left];
  for (let bits = right; bits > 0; bits >>= 1) {
    if (bits & 1) result ^= factor;
    factor = doubled(factor);
  }
  return result;
}

/** The 254th power is the inverse, and 0 for 0. */
function inverse(byte: number): number {
  let power = byte;
  for (let i = 0; i < 6; i++) power = product(product(power, power), byte);
  return product(power, power);
}

const rotated = (byte: number, by: number): number => ((byte << by) | (byte >> (8 - by))) & 0xff;
const affine = (byte: number): number =>
  byte ^ rotated(byte, 1) ^ rotated(byte, 2) ^ rotated(byte, 3) ^ rotated(byte, 4) ^ 0x63;

const BYTES = Array.from({ length: 256 }, (_, byte) => byte);
const S_BOX = Uint8Array.from(BYTES, (byte) => affine(inverse(byte)));
const INVERSE_S_BOX = Uint8Array.from(BYTES, (byte) => S_BOX.indexOf(byte));
const times = (factor: number): Uint8Array => Uint8Array.from(BYTES, (byte) => product(byte, factor));
const identity = Uint8Array.from(BYTES);

/** The first row of a matrix whose other rows are rotations of it, as tables of products. */
type Mix = readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
const MIX: Mix = [times(2), times(3), identity, identity];
const INVERSE_MIX: Mix = [times(14), times(11), times(13), times(9)];

const columns = new Uint8Array(16);

/** Each column times the matrix. */
function mixColumns([first, second, third, fourth]: Mix): void {
  for (let column = 0; column < 16; column += 4) {
    const [a, b, c, d] = [columns[column], columns[column + 1], columns[column + 2], columns[column + 3]] as [
      number,
      number,
      number,
      number,
    ];
    const at = (table: Uint8Array, byte: number): number => table[byte] as number;
    columns[column] = at(first, a) ^ at(second, b) ^ at(third, c) ^ at(fourth, d);
    columns[column + 1] = at(fourth, a) ^ at(first, b) ^ at(second, c) ^ at(third, d);
    columns[column + 2] = at(third, a) ^ at(fourth, b) ^ at(first, c) ^ at(second, d);
    columns[column + 3] = at(second, a) ^ at(third, b) ^ at(fourth, c) ^ at(first, d);
  }
}

/** Row r of the state comes from r columns further on (encryption) or back, through the substitution. */
function substituteShifted({ bytes }: Lanes, from: number, box: Uint8Array, step: 1 | -1): void {
  for (let i = 0; i < 16; i++) {
    const source = (i + step * 4 * (i & 3)) & 15;
    columns[i] = box[bytes[from * 4 + source] as number] as number;
  }
}

function store({ bytes }: Lanes, to: number, key: number): void {
  for (let i = 0; i < 16; i++) bytes[to * 4 + i] = (columns[i] as number) ^ (bytes[key * 4 + i] as number);
}

function round(box: Uint8Array, step: 1 | -1, mix: Mix | undefined): VectorOperation {
  return {
    compute: (lanes, to, state, key) => {
      substituteShifted(lanes, state, box, step);
      if (mix !== undefined) mixColumns(mix);
      store(lanes, to, key);
    },
  };
}

const mixInverse: VectorOperation = {
  compute: ({ bytes }, to, from) => {
    for (let i = 0; i < 16; i++) columns[i] = bytes[from * 4 + i] as number;
    mixColumns(INVERSE_MIX);
    bytes.set(columns, to * 4);
  },
};

/** Doublewords 1 and 3, substituted; each again, rotated by a byte, with the round constant. */
const keyAssist: VectorOperation = {
  compute: ({ bytes }, to, from, _right, _bytes, immediate) => {
    for (const half of [0, 8]) {
      for (let i = 0; i < 4; i++) {
        const byte = S_BOX[bytes[from * 4 + half + 4 + i] as number] as number;
        bytes[to * 4 + half + i] = byte;
        bytes[to * 4 + half + 4 + ((i + 3) & 3)] = byte ^ (i === 1 ? immediate : 0);
      }
    }
  },
};

export const AES_OPERATIONS = {
  aesEncrypt: round(S_BOX, 1, MIX),
  aesEncryptLast: round(S_BOX, 1, undefined),
  aesDecrypt: round(INVERSE_S_BOX, -1, INVERSE_MIX),
  aesDecryptLast: round(INVERSE_S_BOX, -1, undefined),
  aesInverseMixColumns: mixInverse,
  aesKeyAssist: keyAssist,
} as const satisfies Readonly<Record<string, VectorOperation>>;
