// The hot memory as elements of vectors. A vector is named by the number of its first 32-bit word, a multiple of 4 (of 2 for
// one of 64 bits), so that element i of 8 bits is `bytes[word * 4 + i]` and element i of 64 bits is `doubles[word / 2 + i]`.

/** Typed views of one memory. A float is read only where it is known not to be a NaN, whose bits a host may change. */
export interface Lanes {
  readonly signedBytes: Int8Array;
  readonly bytes: Uint8Array;
  readonly signedWords: Int16Array;
  readonly words: Uint16Array;
  readonly doublewords: Int32Array;
  readonly unsignedDoublewords: Uint32Array;
  readonly quadwords: BigUint64Array;
  readonly singles: Float32Array;
  readonly doubles: Float64Array;
}

const known = new WeakMap<ArrayBufferLike, Lanes>();

/** The views of the memory that an array of words covers from its beginning. */
export function lanesOf({ buffer }: Int32Array): Lanes {
  let lanes = known.get(buffer);
  if (lanes === undefined) {
    lanes = {
      signedBytes: new Int8Array(buffer),
      bytes: new Uint8Array(buffer),
      signedWords: new Int16Array(buffer),
      words: new Uint16Array(buffer),
      doublewords: new Int32Array(buffer),
      unsignedDoublewords: new Uint32Array(buffer),
      quadwords: new BigUint64Array(buffer),
      singles: new Float32Array(buffer),
      doubles: new Float64Array(buffer),
    };
    known.set(buffer, lanes);
  }
  return lanes;
}
