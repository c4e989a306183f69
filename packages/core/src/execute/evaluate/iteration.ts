// The end of a string instruction as one closure instead of up to six: index registers move by the direction flag, the
// count goes down, RIP follows it. A shape is one of the expression; whatever deviates from it is lowered piece by piece.
import type { Effect, Expression, Jump, RegisterPlace, Statement, Write } from '../../expression/nodes.js';
import { RFLAGS } from '../../register/rflags.js';
import { directTarget, nonZero, RIP_WORD } from './branch.js';
import type { EvaluationContext } from './context.js';
import { RFLAGS_WORD } from './flags.js';
import { low, put, putWide, type Source, type Step } from './source.js';
import { carryInto } from './wide-operators.js';

/** A register that moves by one of two constants. */
interface Advance {
  readonly register: IndexRegister;
  readonly up: number;
  readonly down: number;
}

type IndexRegister = RegisterPlace & { readonly width: 16 | 32 | 64 };

/** A register that counts down, and where RIP goes while it is not 0 and something else holds. */
interface Countdown {
  readonly register: IndexRegister;
  readonly targetLow: number;
  readonly targetHigh: number;
  readonly onlyWhile: Expression | undefined;
}

/** An effect that ends with a step of its registers, all of one width and the index registers by the same distance. */
export interface Iteration {
  /** What it does with the element. */
  readonly rest: Effect;
  readonly first: Advance;
  /** Of MOVS and CMPS. */
  readonly second: Advance | undefined;
  readonly countdown: Countdown | undefined;
}

/** The parts of an effect of this shape; undefined for any other. `endIf` is not among the statements. */
export function iterationOf(effect: Effect, context: EvaluationContext): Iteration | undefined {
  const advances = effect.flatMap((statement) => advanceOf(statement) ?? []);
  const jump = effect.find((statement) => statement.kind === 'jump');
  const countdown = jump && countdownOf(jump, effect, context);
  const [first, second, ...more] = advances;
  if (first === undefined || more.length > 0 || (jump !== undefined) !== (countdown !== undefined)) return undefined;
  if (second !== undefined && (second.up !== first.up || second.down !== first.down)) return undefined;
  const moved = [...advances, ...(countdown ? [countdown] : [])].map(({ register }) => register);
  const rest = effect.filter((statement) => statement !== jump && !writesOneOf(statement, moved));
  const indexes = new Set(moved.map(({ index }) => index));
  const isApart = indexes.size === moved.length && !rest.some((statement) => disturbs(statement, indexes));
  return isApart && moved.every(({ width }) => width === first.register.width)
    ? { rest, first, second, countdown }
    : undefined;
}

function advanceOf(statement: Statement): Advance | undefined {
  if (statement.kind !== 'write' || !isIndex(statement.place)) return undefined;
  const { place: register, value } = statement;
  if (value.kind !== 'binary' || value.operator !== 'add' || value.left !== register) return undefined;
  const { right } = value;
  if (right.kind !== 'select' || right.condition.kind !== 'flag' || right.condition.flag !== 'DF') return undefined;
  if (right.whenTrue.kind !== 'constant' || right.whenFalse.kind !== 'constant') return undefined;
  const [down, up] = [right.whenTrue.value, right.whenFalse.value].map((by) => BigInt.asIntN(register.width, by));
  return fits(up) && fits(down) ? { register, up: Number(up), down: Number(down) } : undefined;
}

function isIndex(place: Expression): place is IndexRegister {
  return place.kind === 'register' && place.width !== 8;
}

/** Whether a constant is a signed half. */
function fits(value: bigint | undefined): value is bigint {
  return value !== undefined && BigInt.asIntN(32, value) === value;
}

/** A jump while `register - 1` is not 0, in an effect that writes the difference back. */
function countdownOf({ target, when }: Jump, effect: Effect, context: EvaluationContext): Countdown | undefined {
  const to = directTarget(target, context);
  if (to === undefined || when === undefined) return undefined;
  const [tested, onlyWhile] =
    when.kind === 'binary' && when.operator === 'and' ? [when.left, when.right] : [when, undefined];
  const left = nonZero(tested);
  if (left === tested || left.kind !== 'binary' || left.operator !== 'sub') return undefined;
  const { left: register, right: by } = left;
  if (!isIndex(register) || by.kind !== 'constant' || by.value !== 1n) return undefined;
  const isWritten = effect.some((each) => each.kind === 'write' && each.place === register && each.value === left);
  return isWritten ? { register, targetLow: to[0], targetHigh: to[1], onlyWhile } : undefined;
}

function writesOneOf(statement: Statement, places: readonly RegisterPlace[]): statement is Write {
  return statement.kind === 'write' && places.some((place) => place === statement.place);
}

/** Whether a statement writes what the step of the registers reads or writes. */
function disturbs(statement: Statement, indexes: ReadonlySet<number>): boolean {
  if (statement.kind === 'setFlags') return 'DF' in statement.flags;
  return statement.kind === 'write' && statement.place.kind === 'register' && indexes.has(statement.place.index);
}

/** The registers' step. `onlyWhile` is read before one of them moves. */
export function iterationStep(context: EvaluationContext, iteration: Iteration, onlyWhile: Source): Step {
  const { words } = context;
  const { first, second, countdown } = iteration;
  const [one, other] = [first.register.index * 2, second === undefined ? undefined : second.register.index * 2];
  const move = MOVES[first.register.width];
  const advance = (): void => {
    const by = ((words[RFLAGS_WORD] as number) & DIRECTION) === 0 ? first.up : first.down;
    move(words, one, by);
    if (other !== undefined) move(words, other, by);
  };
  if (countdown === undefined) return advance;
  const { targetLow, targetHigh } = countdown;
  const { nextLow, nextHigh } = context;
  const counter = countdown.register.index * 2;
  return () => {
    const goesOn = low(words, onlyWhile);
    advance();
    if (move(words, counter, -1) !== 0 && goesOn !== 0) putWide(words, RIP_WORD, targetLow, targetHigh);
    else putWide(words, RIP_WORD, nextLow, nextHigh);
  };
}

const DIRECTION = 1 << RFLAGS.bits.DF;

/** Adds to a register, by its width; the result is other than 0 if the sum is. */
const MOVES = {
  16: (words: Int32Array, word: number, by: number) => {
    const before = words[word] as number;
    const sum = (before + by) & 0xffff;
    words[word] = (before & ~0xffff) | sum;
    return sum;
  },
  32: (words: Int32Array, word: number, by: number) => {
    const sum = ((words[word] as number) + by) | 0;
    put(words, word, sum);
    return sum;
  },
  64: (words: Int32Array, word: number, by: number) => {
    const before = words[word] as number;
    const sum = (before + by) | 0;
    const sumHigh = ((words[word + 1] as number) + (by >> 31) + carryInto(before, sum)) | 0;
    putWide(words, word, sum, sumHigh);
    return sum | sumHigh;
  },
} as const;
