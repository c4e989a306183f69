// What an effect reads and writes: for origin tracking ("who wrote RAX") and for the reference pages. Reads and writes are
// those of an instruction that completes; one that depends on a condition counts.
import type {
  ConditionCode,
  Effect,
  Expression,
  FlagName,
  FlagRule,
  MemoryPlace,
  RegisterPlace,
  Statement,
  VectorMemoryPlace,
} from './nodes.js';
import { nodesOf } from './walk.js';

/** Places that an effect touches, each once. */
export interface Touched {
  /** By index, width and, for AH to DH, `high`. */
  readonly registers: readonly RegisterPlace[];
  readonly flags: ReadonlySet<FlagName>;
  readonly memory: readonly (MemoryPlace | VectorMemoryPlace)[];
  /** Other registers by name: XMM registers, MXCSR, control registers. */
  readonly named: ReadonlySet<string>;
  /** RIP is set by a branch; an effect never reads it, because the address of an instruction is a constant. */
  readonly rip: boolean;
}

const ARITHMETIC: readonly FlagName[] = ['CF', 'PF', 'AF', 'ZF', 'SF', 'OF'];
const WITHOUT_CARRY = ARITHMETIC.filter((flag) => flag !== 'CF');

/** The flags that each rule writes: INC and DEC leave CF. */
const FLAGS_WRITTEN: Readonly<Record<FlagRule, readonly FlagName[]>> = {
  add: ARITHMETIC,
  sub: ARITHMETIC,
  logic: ARITHMETIC,
  inc: WITHOUT_CARRY,
  dec: WITHOUT_CARRY,
};

/** The flags that each condition code reads. */
const FLAGS_READ: Readonly<Record<ConditionCode, readonly FlagName[]>> = {
  O: ['OF'],
  NO: ['OF'],
  B: ['CF'],
  AE: ['CF'],
  E: ['ZF'],
  NE: ['ZF'],
  BE: ['CF', 'ZF'],
  A: ['CF', 'ZF'],
  S: ['SF'],
  NS: ['SF'],
  P: ['PF'],
  NP: ['PF'],
  L: ['SF', 'OF'],
  GE: ['SF', 'OF'],
  LE: ['ZF', 'SF', 'OF'],
  G: ['ZF', 'SF', 'OF'],
};

/** What an effect reads, the registers of effective addresses included. */
export function readsOf(effect: Effect): Touched {
  const nodes = nodesOf(effect);
  return {
    registers: distinct(nodes.filter((node) => node.kind === 'register')),
    memory: nodes.filter(isMemory),
    flags: new Set(nodes.flatMap(flagsRead)),
    named: new Set(nodes.flatMap(namesRead)),
    rip: false,
  };
}

/** What an effect writes when nothing in it faults. */
export function writesOf(effect: Effect): Touched {
  const places = effect.flatMap((statement) => (statement.kind === 'write' ? [statement.place] : []));
  return {
    registers: distinct(places.filter((place) => place.kind === 'register')),
    memory: [...new Set(places.filter(isMemory))],
    flags: new Set(effect.flatMap(flagsWritten)),
    named: new Set(effect.flatMap(namesWritten)),
    rip: effect.some(({ kind }) => kind === 'jump'),
  };
}

function isMemory(node: Expression): node is MemoryPlace | VectorMemoryPlace {
  return node.kind === 'memory' || node.kind === 'vectorMemory';
}

function namesRead(node: Expression): readonly string[] {
  if (node.kind === 'vectorRegister') return [`XMM${node.index}`];
  if (node.kind === 'float') return ['MXCSR'];
  return node.kind === 'systemBit' ? [node.register] : [];
}

function namesWritten(statement: Statement): readonly string[] {
  if (statement.kind === 'simdExceptions') return ['MXCSR'];
  const isVector = statement.kind === 'write' && statement.place.kind === 'vectorRegister';
  return isVector ? [`XMM${statement.place.index}`] : [];
}

function flagsRead(node: Expression): readonly FlagName[] {
  if (node.kind === 'flag') return [node.flag];
  return node.kind === 'condition' ? FLAGS_READ[node.code] : [];
}

function flagsWritten(statement: Statement): readonly FlagName[] {
  if (statement.kind === 'arithmeticFlags') return FLAGS_WRITTEN[statement.rule];
  return statement.kind === 'setFlags' ? (Object.keys(statement.flags) as FlagName[]) : [];
}

function distinct(places: readonly RegisterPlace[]): readonly RegisterPlace[] {
  return [...new Map(places.map((place) => [`${place.index} ${place.width} ${place.high}`, place])).values()];
}
