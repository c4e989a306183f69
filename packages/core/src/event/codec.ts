// Payload codecs: how one field of an event is written to a trace and what values it takes.

/** The wire form and the check of one field. */
export interface Codec<Value> {
  /** As printed in messages: `u16`. */
  readonly name: string;
  readonly accepts: (value: unknown) => value is Value;
}

function unsigned(name: string, limit: number): Codec<number> {
  return {
    name,
    accepts: (value): value is number =>
      typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < limit,
  };
}

export const u8 = unsigned('u8', 2 ** 8);
export const u16 = unsigned('u16', 2 ** 16);
export const u32 = unsigned('u32', 2 ** 32);
/** A whole number up to 2^53 - 1: counts, positions, physical addresses. */
export const count = unsigned('count', Number.MAX_SAFE_INTEGER);
export const u64: Codec<bigint> = {
  name: 'u64',
  accepts: (value): value is bigint => typeof value === 'bigint' && BigInt.asUintN(64, value) === value,
};
export const text: Codec<string> = { name: 'text', accepts: (value): value is string => typeof value === 'string' };
/** Bytes are handed over: they must not be changed afterwards. */
export const bytes: Codec<Uint8Array> = {
  name: 'bytes',
  accepts: (value): value is Uint8Array => value instanceof Uint8Array,
};
export const u64List: Codec<readonly bigint[]> = {
  name: 'u64List',
  accepts: (value): value is readonly bigint[] => Array.isArray(value) && value.every((item) => u64.accepts(item)),
};
