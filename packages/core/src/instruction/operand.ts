// What the effect of a function-form instruction sees of its operands: from a decoded instruction (execute/operands.ts) or
// from the caller of an intrinsic. A memory operand is read at most once, whoever asks.

/** One explicit operand, in encoding order. */
export interface Operand {
  readonly kind: 'register' | 'immediate' | 'memory' | 'value';
  /** Bits. */
  readonly width: number;
  /** The register as printed (`CR4`, `RAX`), if it is one. */
  readonly register?: string;
  /** Of a string operand, the register that its offset is in. */
  readonly index?: Operand | undefined;
  /** The linear address of a memory operand; raises #GP(0) or #SS(0) for a segment or canonicality violation of the access. */
  linear(access?: 'read' | 'write'): bigint | undefined;
  /** The same of a memory operand that is only named and not accessed: without any check. */
  uncheckedLinear?(): bigint;
  /**
   * Where the value lies now, in the grammar of timeline/location.ts: whom to blame for it. Undefined for a value that the
   * caller of an intrinsic gave and for an immediate; of memory on two pages, the part on the first.
   */
  place(): string | undefined;
  /** The value, zero-extended; raises what the access raises. */
  read(): bigint;
  /** Stores; raises what the access raises. The value of an intrinsic's output becomes the outcome's `value`. */
  write(value: bigint): void;
  /** Raises what `write` would raise, and stores nothing: for checks that come before the effect. */
  probeWrite(): void;
  /** Reads bytes from a memory operand wider than 64 bits. */
  readBytes(length: number): Uint8Array;
}
