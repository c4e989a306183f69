// 64-bit values in halves, for what is executed so often that bigints would be most of its time.

/** Bits 31:0 and 63:32 as signed integers. */
export interface Halves {
  readonly low: number;
  readonly high: number;
}

/** A value in halves. */
export const halvesOf = (value: bigint): Halves => ({
  low: Number(BigInt.asIntN(32, value)),
  high: Number(BigInt.asIntN(32, value >> 32n)),
});

/** Halves as one value, unsigned. */
export const wholeOf = (low: number, high: number): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);

/** The high half after a number from -2^31 to 2^31-1 was added to the low one. */
export const carriedInto = (high: number, low: number, added: number): number =>
  (high + Math.floor(((low >>> 0) + added) / 2 ** 32)) | 0;
