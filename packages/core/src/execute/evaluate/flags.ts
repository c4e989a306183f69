// Lazy status flags. Arithmetic leaves its operands and result in a record of the hot memory; RFLAGS gets its bits when
// somebody asks for all of them, and a condition is computed from the record alone. SDM, "Status Flags".
//
// The high word of an entry holds the value moved up so that its most significant bit is bit 31: for 64 bits the high
// half, for 32 bits the value again. So carry, overflow and sign are bit 31 of the same formula for every width.
import { assert } from '../../error.js';
import type { ConditionCode, FlagName, FlagRule } from '../../expression/nodes.js';
import { slotOf } from '../../register/register-file.js';
import { RFLAGS, STATUS_FLAGS } from '../../register/rflags.js';
import { SCRATCH_OFFSET } from '../../state/workbench.js';

// Plain numbers, each a name of its own: closures that read a property of an object, or a constant that is computed,
// would look it up each time.
const RULE = 8192;
const LEFT = 8194;
const LEFT_TOP = 8195;
const RIGHT = 8196;
const RIGHT_TOP = 8197;
const RESULT = 8198;
const RESULT_TOP = 8199;
const NONE = 0;
const ADD = 1;
const SUB = 2;
const LOGIC = 3;
const INC = 4;
const DEC = 5;
assert(RULE * 4 === SCRATCH_OFFSET, 'the record of pending flags begins the scratch area', { RULE, SCRATCH_OFFSET });

/** Words of the record. An operand's low word is its value, the next one the value moved up to bit 31. */
export const PENDING = { rule: RULE, left: LEFT, right: RIGHT, result: RESULT } as const;
/** Words from the start of the scratch area that the record takes; the evaluator's cells come after it. */
export const PENDING_WORDS = 8;

/** Values of the record's rule; `none` means that RFLAGS holds all flags. INC and DEC leave CF in RFLAGS. */
export const PENDING_RULE: Readonly<Record<FlagRule | 'none', number>> = {
  none: NONE,
  add: ADD,
  sub: SUB,
  logic: LOGIC,
  inc: INC,
  dec: DEC,
};

/** RFLAGS in the register window. */
export const RFLAGS_WORD = slotOf('RFLAGS') * 2;

const { CF, PF, AF, ZF, SF, OF } = RFLAGS.bits;
/** Bit n: whether n, four bits, has an even number of ones. */
const EVEN_PARITY = 0x9669;

/** Makes the six flags those of an operation. `…Top` are the values moved up to bit 31. */
export function recordFlags(
  words: Int32Array,
  rule: number,
  left: number,
  leftTop: number,
  right: number,
  rightTop: number,
  result: number,
  resultTop: number,
): void {
  if (rule >= INC) keepCarry(words);
  words[RULE] = rule;
  words[LEFT] = left;
  words[LEFT_TOP] = leftTop;
  words[RIGHT] = right;
  words[RIGHT_TOP] = rightTop;
  words[RESULT] = result;
  words[RESULT_TOP] = resultTop;
}

/** The same for AND, OR, XOR and TEST, whose flags depend on the result alone. */
export function recordLogic(words: Int32Array, result: number, resultTop: number): void {
  words[RULE] = LOGIC;
  words[RESULT] = result;
  words[RESULT_TOP] = resultTop;
}

/** CF goes to RFLAGS, where INC and DEC leave it. */
function keepCarry(words: Int32Array): void {
  const rule = words[RULE] as number;
  if (rule === NONE || rule >= INC) return; // it is there
  words[RFLAGS_WORD] = ((words[RFLAGS_WORD] as number) & ~(1 << CF)) | (carry(words) << CF);
}

/** Turns a pending record into bits of RFLAGS. */
export function settleFlags(words: Int32Array): void {
  if (words[RULE] === NONE) return;
  const status =
    (carry(words) << CF) |
    (parity(words) << PF) |
    (adjust(words) << AF) |
    (zero(words) << ZF) |
    (sign(words) << SF) |
    (overflow(words) << OF);
  words[RFLAGS_WORD] = ((words[RFLAGS_WORD] as number) & ~STATUS_FLAGS) | status;
  words[RULE] = NONE;
}

/** Forgets a pending record: all six flags are about to be written. */
export function dropFlags(words: Int32Array): void {
  words[RULE] = NONE;
}

function flagBit(words: Int32Array, bit: number): number {
  return ((words[RFLAGS_WORD] as number) >>> bit) & 1;
}

/** ZF. */
export function zero(words: Int32Array): number {
  if (words[RULE] === NONE) return flagBit(words, ZF);
  return ((words[RESULT] as number) | (words[RESULT_TOP] as number)) === 0 ? 1 : 0;
}

/** SF. */
export function sign(words: Int32Array): number {
  if (words[RULE] === NONE) return flagBit(words, SF);
  return (words[RESULT_TOP] as number) >>> 31;
}

/** PF: of the low byte alone. */
export function parity(words: Int32Array): number {
  if (words[RULE] === NONE) return flagBit(words, PF);
  const result = words[RESULT] as number;
  return (EVEN_PARITY >>> ((result ^ (result >>> 4)) & 15)) & 1;
}

/** AF: the carry into bit 4. Logic leaves it undefined; it is cleared. */
function adjust(words: Int32Array): number {
  const rule = words[RULE];
  if (rule === NONE) return flagBit(words, AF);
  if (rule === LOGIC) return 0;
  return (((words[LEFT] as number) ^ (words[RIGHT] as number) ^ (words[RESULT] as number)) >>> 4) & 1;
}

/** CF. The carry out of the top bit follows from operands and result, whether or not a carry came in. */
export function carry(words: Int32Array): number {
  const rule = words[RULE];
  const left = words[LEFT_TOP] as number;
  const right = words[RIGHT_TOP] as number;
  const result = words[RESULT_TOP] as number;
  if (rule === SUB) return ((~left & right) | ((~left | right) & result)) >>> 31;
  if (rule === ADD) return ((left & right) | ((left | right) & ~result)) >>> 31;
  return rule === LOGIC ? 0 : flagBit(words, CF);
}

/** OF: operands of one sign, and a result of the other. */
export function overflow(words: Int32Array): number {
  const rule = words[RULE];
  const left = words[LEFT_TOP] as number;
  const right = words[RIGHT_TOP] as number;
  const result = words[RESULT_TOP] as number;
  if (rule === SUB || rule === DEC) return ((left ^ right) & (left ^ result)) >>> 31;
  if (rule === ADD || rule === INC) return ((left ^ result) & (right ^ result)) >>> 31;
  return rule === LOGIC ? 0 : flagBit(words, OF);
}

/** SF other than OF: less, of signed operands. */
export function less(words: Int32Array): number {
  return sign(words) ^ overflow(words);
}

/** The flags that expressions read. DF is never pending. */
export const FLAG_READERS: Readonly<Record<FlagName, (words: Int32Array) => number>> = {
  CF: carry,
  PF: parity,
  AF: adjust,
  ZF: zero,
  SF: sign,
  OF: overflow,
  DF: (words) => flagBit(words, RFLAGS.bits.DF),
};

/** The conditions of Jcc, SETcc and CMOVcc (SDM, "EFLAGS Condition Codes"). */
export const CONDITION_READERS: Readonly<Record<ConditionCode, (words: Int32Array) => number>> = {
  O: overflow,
  NO: (words) => 1 ^ overflow(words),
  B: carry,
  AE: (words) => 1 ^ carry(words),
  E: zero,
  NE: (words) => 1 ^ zero(words),
  BE: (words) => carry(words) | zero(words),
  A: (words) => 1 ^ (carry(words) | zero(words)),
  S: sign,
  NS: (words) => 1 ^ sign(words),
  P: parity,
  NP: (words) => 1 ^ parity(words),
  L: less,
  GE: (words) => 1 ^ less(words),
  LE: (words) => less(words) | zero(words),
  G: (words) => 1 ^ (less(words) | zero(words)),
};
