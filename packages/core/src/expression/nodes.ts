// The language of effects: what a compiler emits, as data. Three readers share it: the evaluator (execute/evaluate), the
// back end to WebAssembly, and origin tracking. So an expression never contains host code.
//
// All values of an effect are read before any of its statements writes: `[write(a, b), write(b, a)]` exchanges. The one
// statement that comes before all values is `endIf`. An instruction that repeats is one iteration and a jump to itself.
// Left out: control-heavy instructions (descriptor loads, far transfers), which are functions over the draft.
import type { Raise } from '../interrupt/exceptions.js';

/** Bits of a value. 1 is a condition. */
export type Width = 1 | 8 | 16 | 32 | 64;

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

export type Place = RegisterPlace | MemoryPlace;
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
  | DivideFits;

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

/**
 * Completes the instruction where the condition holds, before any other value is read: RIP goes to the next instruction,
 * and nothing else happens. It is the first statement: a repeated string instruction touches no memory when its count is 0.
 */
export interface EndIf {
  readonly kind: 'endIf';
  readonly condition: Expression;
}

export type Statement = Write | ArithmeticFlags | SetFlags | Jump | FaultIf | EndIf;

/** The effect of one decoded instruction. */
export type Effect = readonly Statement[];
