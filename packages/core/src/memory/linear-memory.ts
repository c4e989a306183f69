// What the evaluator and generated code ask of memory: loads and stores at linear addresses, split in 32-bit halves so
// that no BigInt is allocated on the common path. Implemented over the software TLB (memory/tlb.ts).

/** The high half that goes with the low half a function returned: the second result of everything 64 bits wide. */
export const wide = { high: 0 };

/** Index of a segment register in the order ES, CS, SS, DS, FS, GS. */
export type SegmentIndex = 0 | 1 | 2 | 3 | 4 | 5;

/**
 * Linear memory of the current processor at its current privilege level. `low` and `high` are the halves of the linear
 * address as signed 32-bit integers; `segment` only decides between #SS and #GP when the address is not canonical.
 * Loads of 8 and 16 bits return the value zero-extended, of 32 bits signed; 64 bits return the low half and set
 * `wide.high`. The `modify` forms load with write permission, for read-modify-write: a fault is reported as a write.
 * All raise GuestFault (#PF, #GP(0), #SS(0)).
 */
export interface LinearMemory {
  load8(low: number, high: number, segment: SegmentIndex): number;
  load16(low: number, high: number, segment: SegmentIndex): number;
  load32(low: number, high: number, segment: SegmentIndex): number;
  load64(low: number, high: number, segment: SegmentIndex): number;
  modify8(low: number, high: number, segment: SegmentIndex): number;
  modify16(low: number, high: number, segment: SegmentIndex): number;
  modify32(low: number, high: number, segment: SegmentIndex): number;
  modify64(low: number, high: number, segment: SegmentIndex): number;
  store8(low: number, high: number, segment: SegmentIndex, value: number): void;
  store16(low: number, high: number, segment: SegmentIndex, value: number): void;
  store32(low: number, high: number, segment: SegmentIndex, value: number): void;
  store64(low: number, high: number, segment: SegmentIndex, valueLow: number, valueHigh: number): void;
  /** 16 bytes as four words from `to` on, or from there to memory. */
  load128(low: number, high: number, segment: SegmentIndex, words: Int32Array, to: number): void;
  store128(low: number, high: number, segment: SegmentIndex, words: Int32Array, from: number): void;
  /**
   * Outside 64-bit mode: the linear address (32 bits, as a signed integer) of an offset in a segment, after the checks of
   * limit, type and presence for an access of `bytes` bytes; raises #GP(0) or #SS(0).
   */
  segmented(offset: number, segment: SegmentIndex, bytes: number, write: boolean): number;
}
