// Lazy status flags. Arithmetic leaves its operands and result in a record of the hot memory; RFLAGS gets its bits when
// somebody asks for all of them, and a condition is computed from the record alone. SDM, "Status Flags".
//
// The high word of an entry holds the value moved up so that its most significant bit is bit 31: for 64 bits the high
// half, for 32 bits the value again. So carry, overflow and sign are bit 31 of the same formula for every width.
import type { ConditionCode, FlagName, FlagRule } from '../../expression/nodes.js';
import { slotOf } from '../../register/register-file.js';
import { RFLAGS, STATUS_FLAGS } from '../../register/rflags.js';
import { SCRATCH_OFFSET } from '../../state/workbench.js';

const FIRST_WORD = SCRATCH_OFFSET / 4;

/** Words of the record. `left`, `right` and `result` are the value in the low word, moved up to bit 31 in the high. */
export const PENDING = {
  rule: FIRST_WORD,
  left: FIRST_WORD + 2,
  right: FIRST_WORD + 4,
  result: FIRST_WORD + 6,
} as const;
/** Words before the evaluator's cells. */
export const PENDING_WORDS = 8;

/** Values of the record's rule. `inc` and `dec` are last: those two leave CF in RFLAGS. */
export const PENDING_RULE = { none: 0, add: 1, sub: 2, logic: 3, inc: 4, dec: 5 } as const satisfies Record<
  FlagRule | 'none',
  number
>;

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
  if (rule >= PENDING_RULE.inc) keepCarry(words);
  words[PENDING.rule] = rule;
  words[PENDING.left] = left;
  words[PENDING.left + 1] = leftTop;
  words[PENDING.right] = right;
  words[PENDING.right + 1] = rightTop;
  words[PENDING.result] = result;
  words[PENDING.result + 1] = resultTop;
}

/** CF goes to RFLAGS, where INC and DEC leave it. */
function keepCarry(words: Int32Array): void {
  words[RFLAGS_WORD] = ((words[RFLAGS_WORD] as number) & ~(1 << CF)) | (carry(words) << CF);
}

/** Turns a pending record into bits of RFLAGS. */
export function settleFlags(words: Int32Array): void {
  if (words[PENDING.rule] === PENDING_RULE.none) return;
  const status =
    (carry(words) << CF) |
    (parity(words) << PF) |
    (adjust(words) << AF) |
    (zero(words) << ZF) |
    (sign(words) << SF) |
    (overflow(words) << OF);
  words[RFLAGS_WORD] = ((words[RFLAGS_WORD] as number) & ~STATUS_FLAGS) | status;
  words[PENDING.rule] = PENDING_RULE.none;
}

/** Forgets a pending record: all six flags are about to be written. */
export function dropFlags(words: Int32Array): void {
  words[PENDING.rule] = PENDING_RULE.none;
}

function flagBit(words: Int32Array, bit: number): number {
  return ((words[RFLAGS_WORD] as number) >>> bit) & 1;
}

/** ZF. */
export function zero(words: Int32Array): number {
  if (words[PENDING.rule] === PENDING_RULE.none) return flagBit(words, ZF);
  return ((words[PENDING.result] as number) | (words[PENDING.result + 1] as number)) === 0 ? 1 : 0;
}

/** SF. */
export function sign(words: Int32Array): number {
  if (words[PENDING.rule] === PENDING_RULE.none) return flagBit(words, SF);
  return (words[PENDING.result + 1] as number) >>> 31;
}

/** PF: of the low byte alone. */
export function parity(words: Int32Array): number {
  if (words[PENDING.rule] === PENDING_RULE.none) return flagBit(words, PF);
  const result = words[PENDING.result] as number;
  return (EVEN_PARITY >>> ((result ^ (result >>> 4)) & 15)) & 1;
}

/** AF: the carry into bit 4. Logic leaves it undefined; it is cleared. */
export function adjust(words: Int32Array): number {
  const rule = words[PENDING.rule];
  if (rule === PENDING_RULE.none) return flagBit(words, AF);
  if (rule === PENDING_RULE.logic) return 0;
  return (
    (((words[PENDING.left] as number) ^ (words[PENDING.right] as number) ^ (words[PENDING.result] as number)) >>> 4) & 1
  );
}

/** CF. The carry out of the top bit follows from operands and result, whether or not a carry came in. */
export function carry(words: Int32Array): number {
  const rule = words[PENDING.rule];
  const left = words[PENDING.left + 1] as number;
  const right = words[PENDING.right + 1] as number;
  const result = words[PENDING.result + 1] as number;
  if (rule === PENDING_RULE.sub) return ((~left & right) | ((~left | right) & result)) >>> 31;
  if (rule === PENDING_RULE.add) return ((left & right) | ((left | right) & ~result)) >>> 31;
  return rule === PENDING_RULE.logic ? 0 : flagBit(words, CF);
}

/** OF: operands of one sign, and a result of the other. */
export function overflow(words: Int32Array): number {
  const rule = words[PENDING.rule];
  const left = words[PENDING.left + 1] as number;
  const right = words[PENDING.right + 1] as number;
  const result = words[PENDING.result + 1] as number;
  if (rule === PENDING_RULE.sub || rule === PENDING_RULE.dec) return ((left ^ right) & (left ^ result)) >>> 31;
  if (rule === PENDING_RULE.add || rule === PENDING_RULE.inc) return ((left ^ result) & (right ^ result)) >>> 31;
  return rule === PENDING_RULE.logic ? 0 : flagBit(words, OF);
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
