// MXCSR: what it tells an operation, and the exceptions that one detects (SDM, "MXCSR Control and Status Register").

/** Exception flags, at their places in MXCSR. */
export const EXCEPTION = {
  invalid: 1,
  denormal: 2,
  divideByZero: 4,
  overflow: 8,
  underflow: 16,
  precision: 32,
} as const;
/** All six. */
export const ALL_EXCEPTIONS = 0x3f;
/** The mask of a flag lies this many bits above it. */
export const MASK_SHIFT = 7;

/** Bits of MXCSR that are neither flags nor masks. */
export const MXCSR = { denormalsAreZeros: 1 << 6, rounding: 3 << 13, flushToZero: 1 << 15 } as const;

const ROUNDING_SHIFT = 13;

/** Values of the rounding control. */
export const ROUNDING = { nearest: 0, down: 1, up: 2, zero: 3 } as const;

/** The rounding control of an MXCSR. */
export function roundingOf(control: number): number {
  return (control >> ROUNDING_SHIFT) & 3;
}

/** Whether an exception is masked: the operation delivers a result and goes on. */
export function isMasked(control: number, exception: number): boolean {
  return ((control >> MASK_SHIFT) & exception) !== 0;
}

/** A result and the exceptions that were detected on the way. */
export interface Rounded {
  readonly bits: bigint;
  readonly flags: number;
}
