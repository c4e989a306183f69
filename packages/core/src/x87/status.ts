// SDM, "x87 FPU Status Register" and "x87 FPU Control Word": the bits of FSW and FCW.

/** The exception flags of FSW, and at the same places the masks of FCW. */
export const EXCEPTION = { IE: 0x01, DE: 0x02, ZE: 0x04, OE: 0x08, UE: 0x10, PE: 0x20 } as const;
/** All six. */
export const EXCEPTIONS = 0x3f;

/** Stack fault, exception summary, condition codes, busy. */
export const STATUS = { SF: 0x40, ES: 0x80, C0: 0x100, C1: 0x200, C2: 0x400, C3: 0x4000, B: 0x8000 } as const;
export const CONDITION_CODES = STATUS.C0 | STATUS.C1 | STATUS.C2 | STATUS.C3;

/** Bits 13:11 of FSW: the data register that is ST(0). */
export const TOP_SHIFT = 11;

/** FCW after FNINIT: all exceptions masked, 64-bit precision, round to nearest. */
export const INITIAL_CONTROL = 0x37f;
/** Bits of FCW that exist; bit 12, the infinity control, is without effect, and bit 6 is always 1. */
export const CONTROL_BITS = 0x1f3f;
export const CONTROL_ONE = 0x40;

/** SDM, "Rounding Control Field": bits 11:10 of FCW. */
export type Rounding = 'nearest' | 'down' | 'up' | 'zero';
const ROUNDINGS = ['nearest', 'down', 'up', 'zero'] as const satisfies readonly Rounding[];

/** SDM, "Precision Control Field": bits 9:8 of FCW. 01B is reserved; processors take it for 64 bits. */
const PRECISIONS = [24, 64, 53, 64] as const;

/** What one operation is told by FCW, and what it reports. */
export class Arithmetic {
  readonly control: number;
  /** Exception flags that the operation raised: bits of EXCEPTION. */
  exceptions = 0;
  /** The result was rounded away from zero: C1. */
  roundedUp = false;

  constructor(control: number) {
    this.control = control;
  }

  get rounding(): Rounding {
    return ROUNDINGS[(this.control >> 10) & 3] ?? 'nearest';
  }

  /** Bits of significand that results of FADD, FSUB, FMUL, FDIV and FSQRT keep. */
  get precision(): 24 | 53 | 64 {
    return PRECISIONS[(this.control >> 8) & 3] ?? 64;
  }

  isMasked(exception: number): boolean {
    return (this.control & exception) !== 0;
  }

  /** Notes an exception and says whether it is masked. */
  raise(exception: number): boolean {
    this.exceptions |= exception;
    return this.isMasked(exception);
  }
}
