// Lowers an effect to one closure. Every node becomes a step that leaves its value in a scratch cell of the hot memory, so
// a node that is shared is evaluated once; leaves are read in place (source.ts). The steps run in this order:
//
//   0. conditions of faultFirst, then the condition of endIf, which may leave the rest out
//   1. values, in the order of the statements, operands before the node: loads may fault here
//   2. conditions of faultIf and floating-point exceptions, then the canonical check of a branch target
//   3. stores: those that could fault after another one was done are tried first
//   4. flags, RIP, registers: nothing faults any more
//
// So a GuestFault leaves registers, flags and memory as they were. RIP is written only by an effect that jumps.
import { assertNever, InternalError } from '../../error.js';
import { not } from '../../expression/build.js';
import type {
  ArithmeticFlags,
  Effect,
  Expression,
  FaultIf,
  FlagName,
  Jump,
  MemoryPlace,
  Place,
  RegisterPlace,
  SetFlags,
  SimdExceptions,
  Statement,
  VectorMemoryPlace,
  Write,
} from '../../expression/nodes.js';
import { STORES } from './access.js';
import { branch, branchToNext, nonZero, targetChecks } from './branch.js';
import { chain } from './chain.js';
import { faultCheck, faultUnless, flagsRecord, flagsWrite, registerWrite, unlessZero } from './commit.js';
import type { EvaluationContext } from './context.js';
import { fuse } from './fuse.js';
import { iterationOf, iterationStep } from './iteration.js';
import { constantSource, readsSlot, type Source, type Step } from './source.js';
import { Values } from './values.js';
import { exceptionCheck, storeVector, vectorWrite } from './vector-access.js';
import { XMM_WORDS } from './vector-values.js';

const ALWAYS = constantSource(1n);

/** The closure that performs an instruction; it throws GuestFault, with nothing changed, where the instruction faults. */
export function lower(effect: Effect, context: EvaluationContext): Step {
  const values = new Values(effect, context);
  const checks = effect.filter((statement) => statement.kind === 'faultFirst');
  if (checks.length === 0) return lowerChecked(effect, context, values);
  const faults = checks.map(({ condition, raise, rule }) => earlyFault(values, context, condition, raise, rule));
  const before = values.steps.splice(0);
  return chain([...before, ...faults, lowerChecked(effect.slice(checks.length), context, values)]);
}

/** A condition that is negated is as well read as it is. */
function earlyFault(
  values: Values,
  { words }: EvaluationContext,
  condition: Expression,
  raise: FaultIf['raise'],
  rule: string,
): Step {
  if (condition.kind === 'unary' && condition.operator === 'not')
    return faultUnless(words, values.of(condition.operand), raise, rule);
  return faultCheck(words, values.of(condition), raise, rule);
}

function lowerChecked(effect: Effect, context: EvaluationContext, values: Values): Step {
  const [first, ...rest] = effect;
  if (first?.kind !== 'endIf') return lowerRest(effect, context, values);
  const goesOn = values.of(nonZero(not(first.condition)));
  const before = values.steps.splice(0);
  const end = rest.some(({ kind }) => kind === 'jump') ? branchToNext(context) : chain([]);
  return chain([...before, unlessZero(context.words, goesOn, lowerRest(rest, context, values), end)]);
}

function lowerRest(effect: Effect, context: EvaluationContext, values: Values): Step {
  const iteration = iterationOf(effect, context);
  if (iteration === undefined) return chain(stepsOf(effect, context, values));
  const { rest, countdown } = iteration;
  const onlyWhile = countdown?.onlyWhile === undefined ? ALWAYS : values.of(countdown.onlyWhile);
  const isOverwritten = rest.some((each) => each.kind === 'write' && readsPlace(onlyWhile, each.place));
  const step = iterationStep(context, iteration, isOverwritten ? values.copy(onlyWhile) : onlyWhile);
  return chain([...stepsOf(rest, context, values), step]);
}

function readsPlace(source: Source, place: Place): boolean {
  return place.kind === 'register' && readsSlot(source, place.index);
}

function stepsOf(effect: Effect, context: EvaluationContext, values: Values): readonly Step[] {
  if (fuse(effect, context, values)) return values.steps;
  const commits = new Commits(values, context);
  for (const statement of effect) commits.add(statement);
  const rest = commits.steps(); // may add to the steps of the values
  return [...values.steps, ...rest];
}

/** What remains of an effect when its values are known. */
class Commits {
  readonly #values: Values;
  readonly #context: EvaluationContext;
  readonly #faults: Step[] = [];
  readonly #targets: Step[] = [];
  readonly #stores: { readonly place: MemoryPlace; readonly value: Source }[] = [];
  readonly #flags: Step[] = [];
  readonly #branches: Step[] = [];
  readonly #vectorStores: { readonly place: VectorMemoryPlace; readonly from: number }[] = [];
  readonly #vectors: Step[] = [];
  readonly #registers: { readonly place: RegisterPlace; readonly value: Expression }[] = [];

  constructor(values: Values, context: EvaluationContext) {
    this.#values = values;
    this.#context = context;
  }

  /** Evaluates the values of a statement and keeps what it does with them. */
  add(statement: Statement): void {
    switch (statement.kind) {
      case 'write':
        this.#addWrite(statement);
        break;
      case 'arithmeticFlags':
        this.#addArithmeticFlags(statement);
        break;
      case 'setFlags':
        this.#addFlags(statement);
        break;
      case 'jump':
        this.#addJump(statement);
        break;
      case 'faultIf':
        this.#addFault(statement);
        break;
      case 'simdExceptions':
        this.#addExceptions(statement);
        break;
      case 'endIf':
      case 'faultFirst':
        throw new InternalError('a statement that ends the instruction comes first');
      default:
        assertNever(statement);
    }
  }

  #addFault({ condition, raise, rule }: FaultIf): void {
    this.#faults.push(faultCheck(this.#context.words, this.#values.of(condition), raise, rule));
  }

  #addExceptions({ operations }: SimdExceptions): void {
    const flags = operations.map((operation) => this.#values.vectors.flagsOf(operation));
    this.#faults.push(exceptionCheck(this.#context.words, flags));
  }

  #addWrite({ place, value }: Write): void {
    if (place.kind === 'vectorRegister') {
      const from = this.#values.vectors.of(value);
      this.#vectors.push(vectorWrite(this.#context.words, XMM_WORDS[place.index] as number, from));
      return;
    }
    if (place.kind === 'vectorMemory') {
      this.#vectorStores.push({ place, from: this.#values.vectors.of(value) });
      this.#values.access(place);
      return;
    }
    if (place.kind === 'memory') {
      this.#stores.push({ place, value: this.#values.of(value) });
      this.#values.access(place);
      return;
    }
    this.#values.prepare(value);
    this.#registers.push({ place, value });
  }

  #addArithmeticFlags(statement: ArithmeticFlags): void {
    const left = this.#values.of(statement.left);
    const right = this.#values.of(statement.right);
    const result = this.#values.of(statement.result);
    this.#flags.push(flagsRecord(this.#context.words, statement, { left, right, result }));
  }

  #addFlags({ flags, when }: SetFlags): void {
    const values = Object.entries(flags).map(([name, value]) => [name as FlagName, this.#values.of(value)] as const);
    this.#flags.push(flagsWrite(this.#context.words, values, when === undefined ? ALWAYS : this.#values.of(when)));
  }

  #addJump({ target, when }: Jump): void {
    const to = this.#values.of(target);
    const taken = when === undefined ? ALWAYS : this.#values.of(nonZero(when));
    this.#targets.push(...targetChecks(this.#context, to, taken));
    this.#branches.push(branch(this.#context, to, taken));
  }

  /** All in the order in which they run. */
  steps(): readonly Step[] {
    const registers = this.#registerSteps();
    const stores = [...this.#storeSteps(), ...this.#vectorStoreSteps()];
    return [
      ...this.#faults,
      ...this.#targets,
      ...stores,
      ...this.#flags,
      ...this.#branches,
      ...registers,
      ...this.#vectors,
    ];
  }

  /** The first store faults before anything is done; the others are tried before it. */
  #storeSteps(): readonly Step[] {
    const { words, memory } = this.#context;
    const untried = this.#stores.slice(1).filter(({ place }) => !this.#values.isModified(place));
    const tries = untried.map(({ place }) => this.#values.try(place));
    return [
      ...tries,
      ...this.#stores.map(({ place, value }) => STORES[place.width](words, memory, this.#values.access(place), value)),
    ];
  }

  /** An effect stores one vector at most, and nothing else. */
  #vectorStoreSteps(): readonly Step[] {
    return this.#vectorStores.map(({ place, from }) =>
      storeVector(this.#context, place, this.#values.access(place), from),
    );
  }

  /** In the order of the statements; none reads a register that one before it has written. */
  #registerSteps(): readonly Step[] {
    const written: number[] = [];
    return this.#registers.map(({ place, value }) => {
      const step = this.#registerStep(place, value, written);
      written.push(place.index);
      return step;
    });
  }

  /** A value that nothing else needed is computed straight into its register, if that takes a slot as a whole. */
  #registerStep(place: RegisterPlace, value: Expression, written: readonly number[]): Step {
    const direct = place.width >= 32 ? this.#values.stepInto(value, place.index * 2, written) : undefined;
    if (direct !== undefined) return direct;
    const source = this.#values.of(value);
    const isOverwritten = written.some((slot) => readsSlot(source, slot));
    return registerWrite(this.#context.words, place, isOverwritten ? this.#values.copy(source) : source);
  }
}
