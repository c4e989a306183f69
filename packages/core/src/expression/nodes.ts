// The language of effects: what a compiler emits, as data. Three readers share it: the evaluator (execute/evaluate), the
// back end to WebAssembly, and origin tracking. So an expression never contains host code.
//
// All values of an effect are read before any of its statements writes: `[write(a, b), write(b, a)]` exchanges. The
// statements that come before all values are `faultFirst` and `endIf`. An instruction that repeats is one iteration and a
// jump to itself.
// Left out: control-heavy instructions (descriptor loads, far transfers), which are functions over the draft.
import type { FloatOperationName } from '../float/operations.js';
import type { Raise } from '../interrupt/exceptions.js';
import type { VectorOperationName } from '../vector/operations.js';

/** Bits of a value. 1 is a condition, 128 a vector. */
export type Width = ScalarWidth | 128;
/** Bits of what is no vector. */
export type ScalarWidth = 1 | 8 | 16 | 32 | 64;

/** The status flags that arithmetic writes, and DF, which string instructions and STD/CLD use. */
export type FlagName = 'CF' | 'PF' | 'AF' | 'ZF' | 'SF' | 'OF' | 'DF';

/** ES, CS, SS, DS, FS, GS in the order of their encodings. */
export type SegmentName = 'ES' | 'CS' | 'SS' | 'DS' | 'FS' | 'GS';

/** Two values of equal width to one of that width. Shifts and rotates take the count as given: mask it first. */
export type BinaryOperator =
  | 'add'
  | 'sub'
  | 'and'
  | 'or'
  | 'xor'
  | 'mul'
  | 'mulHighUnsigned'
  | 'mulHighSigned'
  | 'shl'
  | 'shr'
  | 'sar'
  | 'rol'
  | 'ror';

/** Two values of equal width to a condition. */
export type Comparison = 'equal' | 'lessUnsigned' | 'lessSigned';

/** One value to one of the same width. */
export type UnaryOperator = 'not' | 'neg' | 'byteSwap' | 'popCount' | 'leadingZeros' | 'trailingZeros';

/** How the two-operand forms of arithmetic derive the six status flags from operands and result. */
export type FlagRule = 'add' | 'sub' | 'logic' | 'inc' | 'dec';

/** The sixteen conditions of Jcc, SETcc and CMOVcc, by the suffix that the manual lists first. */
export type ConditionCode =
  | 'O'
  | 'NO'
  | 'B'
  | 'AE'
  | 'E'
  | 'NE'
  | 'BE'
  | 'A'
  | 'S'
  | 'NS'
  | 'P'
  | 'NP'
  | 'L'
  | 'GE'
  | 'LE'
  | 'G';

export interface Constant {
  readonly kind: 'constant';
  readonly width: Width;
  readonly value: bigint;
}
/** A general register or a part of one. `index` is 0..15 (RAX..R15); `high` selects AH, CH, DH, BH. */
export interface RegisterPlace {
  readonly kind: 'register';
  readonly width: 8 | 16 | 32 | 64;
  readonly index: number;
  readonly high: boolean;
}
/** Memory at an offset (the effective address, 64 bits wide, already wrapped to the address size) in a segment. */
export interface MemoryPlace {
  readonly kind: 'memory';
  readonly width: 8 | 16 | 32 | 64;
  readonly segment: SegmentName;
  readonly offset: Expression;
}
export interface Flag {
  readonly kind: 'flag';
  readonly width: 1;
  readonly flag: FlagName;
}
/** The RIP of the next instruction: a constant of the decoded instruction. */
export interface Condition {
  readonly kind: 'condition';
  readonly width: 1;
  readonly code: ConditionCode;
}
export interface Binary {
  readonly kind: 'binary';
  readonly width: Width;
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
}
export interface Compare {
  readonly kind: 'compare';
  readonly width: 1;
  readonly operator: Comparison;
  readonly left: Expression;
  readonly right: Expression;
}
export interface Unary {
  readonly kind: 'unary';
  readonly width: Width;
  readonly operator: UnaryOperator;
  readonly operand: Expression;
}
export interface Select {
  readonly kind: 'select';
  readonly width: Width;
  readonly condition: Expression;
  readonly whenTrue: Expression;
  readonly whenFalse: Expression;
}
/** To another width: zero- or sign-extended when wider, cut when narrower. */
export interface Resize {
  readonly kind: 'resize';
  readonly width: Width;
  readonly signed: boolean;
  readonly operand: Expression;
}
/** Quotient or remainder of high:low by the divisor, each of the node's width; only where `divideFits` holds. */
export interface Divide {
  readonly kind: 'divide';
  readonly width: Width;
  readonly signed: boolean;
  readonly part: 'quotient' | 'remainder';
  readonly high: Expression;
  readonly low: Expression;
  readonly divisor: Expression;
}
/** Whether the divisor is not 0 and the quotient fits the width. */
export interface DivideFits {
  readonly kind: 'divideFits';
  readonly width: 1;
  readonly signed: boolean;
  readonly high: Expression;
  readonly low: Expression;
  readonly divisor: Expression;
}

/** XMM0 to XMM15. */
export interface VectorRegisterPlace {
  readonly kind: 'vectorRegister';
  readonly width: 128;
  readonly index: number;
}
/** 16 bytes of memory. An aligned place that is not at a multiple of 16 is #GP(0). */
export interface VectorMemoryPlace {
  readonly kind: 'vectorMemory';
  readonly width: 128;
  readonly segment: SegmentName;
  readonly offset: Expression;
  readonly aligned: boolean;
}
/** An operation on lanes, by its row in vector/operations.ts. Up to three operands, and an immediate byte. */
export interface VectorComputation {
  readonly kind: 'vector';
  readonly width: 32 | 64 | 128;
  readonly operation: VectorOperationName;
  readonly operands: readonly Expression[];
  readonly immediate: number;
}
/**
 * A floating-point operation, by its row in float/operations.ts, on one element or on each of a vector. It reads rounding,
 * DAZ, FTZ and masks from MXCSR; what exceptions it detects, the statement `simdExceptions` takes up.
 */
export interface FloatComputation {
  readonly kind: 'float';
  readonly width: 32 | 64 | 128;
  readonly operation: FloatOperationName;
  readonly operands: readonly Expression[];
  readonly immediate: number;
}
/** Element `index`, counted from bit 0 in elements of the node's width, of a vector. */
export interface Lane {
  readonly kind: 'lane';
  readonly width: 8 | 16 | 32 | 64;
  readonly index: number;
  readonly operand: Expression;
}
/** A vector with one element, as wide as `value`, replaced. */
export interface WithLane {
  readonly kind: 'withLane';
  readonly width: 128;
  readonly index: number;
  readonly operand: Expression;
  readonly value: Expression;
}
/** A bit of a control register. */
export interface SystemBit {
  readonly kind: 'systemBit';
  readonly width: 1;
  readonly register: 'CR0' | 'CR4';
  readonly bit: number;
}

/** Memory of any width. */
export type AnyMemoryPlace = MemoryPlace | VectorMemoryPlace;
export type Place = RegisterPlace | MemoryPlace | VectorRegisterPlace | VectorMemoryPlace;
export type Expression =
  | Constant
  | RegisterPlace
  | MemoryPlace
  | Flag
  | Condition
  | Binary
  | Compare
  | Unary
  | Select
  | Resize
  | Divide
  | DivideFits
  | VectorRegisterPlace
  | VectorMemoryPlace
  | VectorComputation
  | FloatComputation
  | Lane
  | WithLane
  | SystemBit;

/** `value` goes to `place`; a 32-bit register write clears bits 63:32, narrower ones keep the rest. */
export interface Write {
  readonly kind: 'write';
  readonly place: Place;
  readonly value: Expression;
}
/** The six status flags by a rule, from operands and result. INC and DEC leave CF; logic clears CF and OF. */
export interface ArithmeticFlags {
  readonly kind: 'arithmeticFlags';
  readonly rule: FlagRule;
  readonly left: Expression;
  readonly right: Expression;
  readonly result: Expression;
}
/** Single flags; those not named stay. Applied only where `when` holds (a shift by 0 changes nothing). */
export interface SetFlags {
  readonly kind: 'setFlags';
  readonly flags: Readonly<Partial<Record<FlagName, Expression>>>;
  readonly when?: Expression;
}
/** RIP becomes `target` if the condition holds (or always). A non-canonical target faults here, at the branch. */
export interface Jump {
  readonly kind: 'jump';
  readonly target: Expression;
  readonly when?: Expression;
}
/** Abandons the instruction with an exception where the condition holds: before anything is written. */
export interface FaultIf {
  readonly kind: 'faultIf';
  readonly condition: Expression;
  readonly raise: Raise;
  readonly rule: string;
}

/** The same before any value is read: what the processor checks before it touches memory. The first statements. */
export interface FaultFirst {
  readonly kind: 'faultFirst';
  readonly condition: Expression;
  readonly raise: Raise;
  readonly rule: string;
}

/**
 * Takes up the floating-point exceptions of operations: sets their flags in MXCSR, and raises #XM (or #UD while
 * CR4.OSXMMEXCPT is 0) for one that is not masked, before anything else is written.
 */
export interface SimdExceptions {
  readonly kind: 'simdExceptions';
  readonly operations: readonly FloatComputation[];
}

/**
 * Completes the instruction where the condition holds, before any other value is read: RIP goes to the next instruction,
 * and nothing else happens. It is the first statement: a repeated string instruction touches no memory when its count is 0.
 */
export interface EndIf {
  readonly kind: 'endIf';
  readonly condition: Expression;
}

export type Statement = Write | ArithmeticFlags | SetFlags | Jump | FaultIf | FaultFirst | EndIf | SimdExceptions;

/** The effect of one decoded instruction. */
export type Effect = readonly Statement[];
