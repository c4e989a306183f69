// The shapes that most executed instructions have, with one closure where there would be three: a value straight into its
// register, arithmetic with its flags, a branch to a known target. A shape is one of the expression, so that it serves
// every mnemonic that has it.
import type { ArithmeticFlags, Effect, Expression, Place, Write } from '../../expression/nodes.js';
import { STORES } from './access.js';
import { isArithmetic, NARROW, WIDE } from './arithmetic.js';
import { directBranch } from './branch.js';
import { registerWrite } from './commit.js';
import type { EvaluationContext } from './context.js';
import { PENDING_RULE } from './flags.js';
import { maskOf, spareBits, wordSource } from './source.js';
import type { Values } from './values.js';

/** Adds the steps of an effect of a known shape. False for any other: values that were evaluated by then stay valid. */
export function fuse(effect: Effect, context: EvaluationContext, values: Values): boolean {
  const [first, second, ...more] = effect;
  if (first === undefined || more.length > 0) return false;
  if (first.kind === 'arithmeticFlags' && second === undefined)
    return fuseArithmetic(undefined, first, context, values);
  if (first.kind === 'write' && second?.kind === 'arithmeticFlags')
    return fuseArithmetic(first, second, context, values);
  if (second !== undefined) return false;
  if (first.kind === 'write') return fuseWrite(first, values);
  const branch = first.kind === 'jump' ? directBranch(first, context) : undefined;
  if (branch !== undefined) values.steps.push(branch);
  return branch !== undefined;
}

/** The word of a register that takes a slot as a whole: 64 bits, or 32, which clear those above. */
function slotWord(place: Place | undefined): number | undefined {
  return place?.kind === 'register' && place.width >= 32 ? place.index * 2 : undefined;
}

/** One value into one register: MOV, MOVZX, LEA, CMOVcc, NOT. */
function fuseWrite({ place, value }: Write, values: Values): boolean {
  const to = slotWord(place);
  if (to === undefined) return false;
  values.into(value, to);
  return true;
}

/** ADD, SUB, CMP, AND, OR, XOR, TEST, INC, DEC: the flags of the operation that gives the result. */
function fuseArithmetic(
  write: Write | undefined,
  flags: ArithmeticFlags,
  { words, memory }: EvaluationContext,
  values: Values,
): boolean {
  const { left, right, result, rule } = flags;
  const place = write?.place;
  if (result.kind !== 'binary' || !isArithmetic(result.operator) || (write !== undefined && write.value !== result))
    return false;
  if (!isSame(result.left, left) || !isSame(result.right, right)) return false;
  const operands = { left: values.of(left), right: values.of(right) };
  // Flags before a store are safe only where the load that came before has asked for the permission to write.
  if (place?.kind === 'memory' && !values.isModified(place)) return false;
  const to = slotWord(place) ?? values.cell();
  const { width } = result;
  const table = width === 64 ? WIDE : NARROW;
  values.steps.push(
    table[result.operator]({
      words,
      rule: PENDING_RULE[rule],
      ...operands,
      to,
      mask: maskOf(width),
      spare: spareBits(width),
    }),
  );
  const value = wordSource(to, width);
  if (place?.kind === 'memory') values.steps.push(STORES[place.width](words, memory, values.access(place), value));
  else if (place !== undefined && slotWord(place) === undefined) values.steps.push(registerWrite(words, place, value));
  return true;
}

function isSame(left: Expression, right: Expression): boolean {
  return left === right || (left.kind === 'constant' && right.kind === 'constant' && left.value === right.value);
}
