// The shapes that most executed instructions have, with one or two closures where there would be more: a value straight
// into its register, arithmetic with its flags, a branch to a known target. A shape is one of the expression, so that it
// serves every mnemonic that has it.
import type { ArithmeticFlags, Effect, Expression, MemoryPlace, Place, Write } from '../../expression/nodes.js';
import { LOADS_BEFORE, MODIFICATIONS } from './access.js';
import { type ArithmeticShape, arithmeticShape, arithmeticStep } from './arithmetic.js';
import { directBranch } from './branch.js';
import { registerWrite } from './commit.js';
import type { EvaluationContext } from './context.js';
import { productOf, productStep } from './multiply.js';
import { type Source, type Step, wordSource } from './source.js';
import type { Values } from './values.js';

/** Adds the steps of an effect of a known shape. False for any other: values that were evaluated by then stay valid. */
export function fuse(effect: Effect, context: EvaluationContext, values: Values): boolean {
  const [first, second, ...more] = effect;
  if (first === undefined || more.length > 0) return false;
  if (first.kind === 'write' && second?.kind === 'arithmeticFlags')
    return fuseArithmetic(first, second, context, values);
  if (second?.kind === 'setFlags') return fuseProduct(effect, context, values);
  if (second !== undefined) return false;
  if (first.kind === 'arithmeticFlags') return fuseArithmetic(undefined, first, context, values);
  if (first.kind === 'write') return fuseWrite(first, values);
  return first.kind === 'jump' && addStep(values, directBranch(first, context));
}

function addStep({ steps }: Values, step: Step | undefined): boolean {
  if (step !== undefined) steps.push(step);
  return step !== undefined;
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

/** ADD, SUB, CMP, AND, OR, XOR, TEST, INC, DEC: the flags of the operation whose result is written. */
function fuseArithmetic(
  write: Write | undefined,
  flags: ArithmeticFlags,
  context: EvaluationContext,
  values: Values,
): boolean {
  const shape = arithmeticShape(flags);
  const place = write?.place;
  if (shape === undefined || (write !== undefined && write.value !== flags.result)) return false;
  if (place?.kind === 'memory') return fuseModification(place, shape, context, values);
  const to = slotWord(place);
  const cell = to ?? values.cell();
  addArithmetic(shape, cell, context, values);
  if (place?.kind === 'register' && to === undefined) {
    addStep(values, registerWrite(context.words, place, wordSource(cell, shape.width)));
  }
  return true;
}

/** IMUL into a register. */
function fuseProduct(effect: Effect, { words }: EvaluationContext, values: Values): boolean {
  const product = productOf(effect);
  if (product === undefined) return false;
  const { place, left, right } = product;
  const to = slotWord(place) ?? values.cell();
  addStep(values, productStep(words, place.width, values.of(left), values.of(right), to));
  if (slotWord(place) === undefined) addStep(values, registerWrite(words, place, wordSource(to, place.width)));
  return true;
}

/** One closure; with an operand in memory, the closure of its load goes on with the other. */
function addArithmetic(shape: ArithmeticShape, to: number, { words, memory }: EvaluationContext, values: Values): void {
  const { left, right, width } = shape;
  const isInPlace = (node: Expression): boolean => values.inPlace(node) !== undefined;
  const loaded = isInPlace(left) ? right : left;
  if (loaded.kind !== 'memory' || !(isInPlace(left) || isInPlace(right)) || isInPlace(loaded)) {
    addStep(values, arithmeticStep(words, shape, values.of(left), values.of(right), to));
    return;
  }
  const access = values.access(loaded);
  const cell = values.cell();
  const operand = (node: Expression): Source => (node === loaded ? wordSource(cell, width) : values.of(node));
  const step = arithmeticStep(words, shape, operand(left), operand(right), to);
  addStep(values, LOADS_BEFORE[loaded.width](words, memory, access, cell, step));
}

/** Memory that is read and written: the flags come before the store, which cannot fault after the load for writing. */
function fuseModification(
  place: MemoryPlace,
  shape: ArithmeticShape,
  { words, memory }: EvaluationContext,
  values: Values,
): boolean {
  const other = shape.left === place ? shape.right : shape.left;
  if ((shape.left !== place && shape.right !== place) || values.inPlace(other) === undefined) return false;
  const access = values.access(place);
  const [cell, to] = [values.cell(), values.cell()];
  const operand = (node: Expression): Source => (node === place ? wordSource(cell, shape.width) : values.of(node));
  const compute = arithmeticStep(words, shape, operand(shape.left), operand(shape.right), to);
  return addStep(values, MODIFICATIONS[place.width](words, memory, access, cell, compute, to));
}
