// What is known of an instruction before its code is written: whether it can be generated, whether it may leave for the
// reference path, which registers it uses, and which flags somebody needs of it.

import { readsOf, type Touched, writesOf } from '../expression/check.js';
import type {
  AnyMemoryPlace,
  Effect,
  Expression,
  FlagName,
  RegisterPlace,
  SegmentName,
  Statement,
} from '../expression/nodes.js';
import { nodesOf } from '../expression/walk.js';
import type { GuardedTransfer } from '../instruction/fast-transfer.js';
import { STATUS_FLAG_NAMES, type StatusFlag } from './flags-code.js';
import { isVectorSupported } from './vector-code.js';

/** One instruction of a region. */
export interface InstructionFacts {
  readonly effect: Effect;
  /** Undefined: it is in the expression form. */
  readonly form: FunctionForm | undefined;
  /** Otherwise the reference path executes it. */
  readonly isGenerated: boolean;
  /** It may go to the reference path: before it, registers and flags must be what they are. */
  readonly mayLeave: boolean;
  /** Memory that it reads, in the order of evaluation: it faults even where nobody needs what was read. */
  readonly loads: readonly AnyMemoryPlace[];
  /** Conditions that an instruction before it in its block has found not to hold. */
  readonly settled: ReadonlySet<Statement>;
  readonly reads: Touched;
  readonly writes: Touched;
  /** It says itself where control goes on: a branch, and an instruction in the function form. */
  readonly transfers: boolean;
  /** Flags that it writes and that somebody may look at before they are written again. */
  neededFlags: ReadonlySet<FlagName>;
}

/** Segments whose bases generated code knows outside 64-bit mode: 0, with a limit of 4 GiB. */
const FLAT: ReadonlySet<SegmentName> = new Set(['DS', 'ES', 'SS']);

/**
 * Bits of control registers whose values a block knows, by condition. Nothing but a function-form instruction changes them,
 * and such a one ends its block.
 */
export type KnownConditions = Set<string>;

/** The facts of an effect, with all flags needed. What is known then in the rest of the block is added to `known`. */
export function factsOf(effect: Effect, mode64: boolean, known: KnownConditions = new Set()): InstructionFacts {
  const nodes = nodesOf(effect);
  const writes = writesOf(effect);
  const loads = nodes.filter(isMemory);
  const places = [...loads, ...writes.memory];
  const isGenerated =
    nodes.every(isVectorSupported) &&
    effect.every(isSupported) &&
    places.every(({ segment }) => mode64 || FLAT.has(segment));
  const settled = settledIn(effect, known);
  const mayLeave =
    !isGenerated ||
    places.length > 0 ||
    nodes.some(({ kind }) => kind === 'float') ||
    effect.some((statement) => isFault(statement) && !settled.has(statement)) ||
    (mode64 && effect.some((statement) => statement.kind === 'jump' && statement.target.kind !== 'constant'));
  const transfers = effect.some(({ kind }) => kind === 'jump');
  const reads = readsOf(effect);
  const facts = { effect, form: undefined, isGenerated, mayLeave, loads, settled, reads, writes, transfers };
  return { ...facts, neededFlags: writes.flags };
}

const isFault = ({ kind }: Statement): boolean => kind === 'faultIf' || kind === 'faultFirst';

function settledIn(effect: Effect, known: KnownConditions): ReadonlySet<Statement> {
  const settled = new Set<Statement>();
  for (const statement of effect) {
    const name = statement.kind === 'faultFirst' ? systemBitName(statement.condition) : undefined;
    if (name === undefined) continue;
    if (known.has(name)) settled.add(statement);
    known.add(name); // whoever does not fault here goes on with the rest of the block
  }
  return settled;
}

/** A bit, or that it is 0; undefined for other conditions. */
function systemBitName(condition: Expression): string | undefined {
  if (condition.kind === 'systemBit') return `${condition.register}.${condition.bit}`;
  const operand = condition.kind === 'unary' && condition.operator === 'not' ? condition.operand : undefined;
  return operand?.kind === 'systemBit' ? `not ${operand.register}.${operand.bit}` : undefined;
}

/** An instruction in the function form: it is called, unless it is a transfer whose guards hold. */
export interface FunctionForm {
  readonly transfer: GuardedTransfer | undefined;
}
/** What compiled code can make of an instruction: of its effect, of its function, or nothing. */
export type CompiledForm = Effect | FunctionForm | undefined;

/** Of an instruction in the function form: the reference path executes it, and RIP says where control goes on. */
export const functionFacts = (form: FunctionForm): InstructionFacts => ({
  ...factsOf([], true),
  form,
  isGenerated: false,
  mayLeave: true,
  transfers: true,
});

function isMemory(node: Expression): node is AnyMemoryPlace {
  return node.kind === 'memory' || node.kind === 'vectorMemory';
}

/** Flags that one instruction writes twice are left to the reference path. */
function isSupported(statement: Statement, _index: number, effect: Effect): boolean {
  return statement.kind !== 'setFlags' || effect.every(({ kind }) => kind !== 'arithmeticFlags');
}

/** Registers of effects, by number. */
export function registersIn(places: readonly RegisterPlace[]): readonly number[] {
  return places.map(({ index }) => index);
}

/** Finds the flags of each instruction of a block that are dead: written again before they are read or seen. */
export function findNeededFlags(instructions: readonly InstructionFacts[]): void {
  let live = new Set<FlagName>(STATUS_FLAG_NAMES);
  for (const facts of [...instructions].reverse()) {
    const { effect, writes, reads, mayLeave } = facts;
    facts.neededFlags = new Set([...writes.flags].filter((flag) => flag === 'DF' || live.has(flag)));
    const isCertain = effect.every((statement) => statement.kind !== 'setFlags' || statement.when === undefined);
    if (isCertain && !effect.some(({ kind }) => kind === 'endIf')) for (const flag of writes.flags) live.delete(flag);
    for (const flag of reads.flags) live.add(flag);
    // A conditional write keeps the old flag where it does not write.
    if (mayLeave) live = new Set<FlagName>(STATUS_FLAG_NAMES);
  }
}

/** Those of the flags that arithmetic and shifts set. */
export function statusFlagsAmong(flags: Iterable<FlagName>): readonly StatusFlag[] {
  return [...flags].filter((flag): flag is StatusFlag => flag !== 'DF');
}
