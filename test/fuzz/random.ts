// Numbers that look random and follow from a seed alone: a case that failed is made again from its number.

/** A stream of numbers. */
export class Random {
  #state: number;

  /** Streams of neighbouring seeds have nothing in common. */
  constructor(seed: number) {
    this.#state = Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b) >>> 0;
    this.#next();
    this.#next();
  }

  /** 32 bits (mulberry32). */
  #next(): number {
    this.#state = (this.#state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** 0 to `limit` - 1. */
  below(limit: number): number {
    return this.#next() % limit;
  }

  /** True once in `times`. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  byte(): number {
    return this.#next() & 0xff;
  }

  bytes(length: number): number[] {
    return Array.from({ length }, () => this.byte());
  }

  bits64(): bigint {
    return (BigInt(this.#next()) << 32n) | BigInt(this.#next());
  }

  pick<Value>(values: readonly Value[]): Value {
    return values[this.below(values.length)] as Value;
  }
}
