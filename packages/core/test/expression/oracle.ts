// An independent reading of expression/nodes.ts with BigInt: slow, without sharing any code with the evaluator or the
// compiler, and short enough to be checked by eye. Both are compared with it.

import type {
  ArithmeticFlags,
  Binary,
  Compare,
  ConditionCode,
  Divide,
  DivideFits,
  Effect,
  Expression,
  FlagName,
  Jump,
  MemoryPlace,
  RegisterPlace,
  SegmentName,
  SetFlags,
  Unary,
  Write,
} from '../../src/expression/nodes.js';
import { GP, raise } from '../../src/interrupt/exceptions.js';

/** Memory by linear address. `modify` is the load of what will be stored to. */
export interface OracleMemory {
  load(address: bigint, bytes: number): bigint;
  modify(address: bigint, bytes: number): bigint;
  store(address: bigint, bytes: number, value: bigint): void;
  segmented(offset: bigint, segment: SegmentName, bytes: number, write: boolean): bigint;
}

export interface OracleMachine {
  readonly registers: bigint[];
  rip: bigint;
  readonly flags: Record<FlagName, bigint>;
  readonly memory: OracleMemory;
  readonly segmentBases: { readonly FS: bigint; readonly GS: bigint };
  readonly mode64: boolean;
  readonly linearBits: number;
  readonly next: bigint;
}

/** Performs an effect; throws GuestFault with nothing changed. */
export function perform(effect: Effect, machine: OracleMachine): void {
  new Oracle(effect, machine).perform();
}

const ones = (width: number): bigint => (1n << BigInt(width)) - 1n;
const signed = (value: bigint, width: number): bigint => BigInt.asIntN(width, value);
const bool = (value: boolean): bigint => (value ? 1n : 0n);

class Oracle {
  readonly #effect: Effect;
  readonly #machine: OracleMachine;
  readonly #known = new Map<Expression, bigint>();
  readonly #addresses = new Map<MemoryPlace, bigint>();
  readonly #written: Set<Expression>;

  constructor(effect: Effect, machine: OracleMachine) {
    this.#effect = effect;
    this.#machine = machine;
    this.#written = new Set(effect.flatMap((statement) => (statement.kind === 'write' ? [statement.place] : [])));
  }

  perform(): void {
    const [first] = this.#effect;
    if (first?.kind === 'endIf' && this.value(first.condition) !== 0n) {
      if (this.#effect.some(({ kind }) => kind === 'jump')) this.#machine.rip = this.#machine.next;
      return;
    }
    for (const statement of this.#effect) this.#evaluate(statement);
    for (const statement of this.#effect) {
      if (statement.kind === 'faultIf' && this.value(statement.condition) !== 0n)
        raise(statement.raise, statement.rule);
    }
    const jumps = this.#effect.filter((statement) => statement.kind === 'jump');
    for (const jump of jumps) this.#checkTarget(jump);
    this.#store();
    for (const statement of this.#effect) {
      if (statement.kind === 'arithmeticFlags') this.#arithmeticFlags(statement);
      if (statement.kind === 'setFlags') this.#setFlags(statement);
      if (statement.kind === 'write' && statement.place.kind === 'register') {
        this.#writeRegister(statement.place, this.value(statement.value));
      }
    }
    for (const jump of jumps) this.#machine.rip = this.#isTaken(jump) ? this.value(jump.target) : this.#machine.next;
  }

  #evaluate(statement: Effect[number]): void {
    switch (statement.kind) {
      case 'write':
        this.value(statement.value);
        if (statement.place.kind === 'memory') this.value(statement.place.offset);
        break;
      case 'arithmeticFlags':
        for (const node of [statement.left, statement.right, statement.result]) this.value(node);
        break;
      case 'setFlags':
        for (const node of Object.values(statement.flags)) this.value(node);
        if (statement.when !== undefined) this.value(statement.when);
        break;
      case 'jump':
        this.value(statement.target);
        if (statement.when !== undefined) this.value(statement.when);
        break;
      case 'faultIf':
      case 'endIf':
        this.value(statement.condition);
    }
  }

  #isTaken({ when }: Jump): boolean {
    return when === undefined || this.value(when) !== 0n;
  }

  #checkTarget(jump: Jump): void {
    const target = this.value(jump.target);
    const isCanonical = BigInt.asUintN(64, signed(target, this.#machine.linearBits)) === target;
    if (this.#machine.mode64 && this.#isTaken(jump) && !isCanonical) raise(GP(0), 'core.branch.canonical');
  }

  #store(): void {
    const stores = this.#effect.filter(
      (statement) => statement.kind === 'write' && statement.place.kind === 'memory',
    ) as (Write & {
      place: MemoryPlace;
    })[];
    for (const { place } of stores.slice(1)) {
      if (!this.#known.has(place)) this.#machine.memory.modify(this.#address(place, true), place.width / 8);
    }
    for (const { place, value } of stores) {
      this.#machine.memory.store(this.#address(place, true), place.width / 8, this.value(value));
    }
  }

  #writeRegister({ index, width, high }: RegisterPlace, value: bigint): void {
    const { registers } = this.#machine;
    const shift = high ? 8n : 0n;
    const kept = width >= 32 ? 0n : (registers[index] ?? 0n) & ~(ones(width) << shift);
    registers[index] = BigInt.asUintN(64, kept) | (value << shift);
  }

  #arithmeticFlags({ rule, ...nodes }: ArithmeticFlags): void {
    const { flags } = this.#machine;
    const width = nodes.result.width;
    const [left, right, result] = [this.value(nodes.left), this.value(nodes.right), this.value(nodes.result)];
    const top = (value: bigint): bigint => (value >> BigInt(width - 1)) & 1n;
    const isAddition = rule === 'add' || rule === 'inc';
    if (rule === 'add') flags.CF = top((left & right) | ((left | right) & ~result));
    if (rule === 'sub') flags.CF = top((~left & right) | ((~left | right) & result));
    if (rule === 'logic') flags.CF = 0n;
    flags.AF = rule === 'logic' ? 0n : ((left ^ right ^ result) >> 4n) & 1n;
    flags.OF =
      rule === 'logic' ? 0n : top(isAddition ? (left ^ result) & (right ^ result) : (left ^ right) & (left ^ result));
    flags.PF = bool(bits(result & 0xffn).length % 2 === 0);
    flags.ZF = bool(result === 0n);
    flags.SF = top(result);
  }

  #setFlags({ flags, when }: SetFlags): void {
    if (when !== undefined && this.value(when) === 0n) return;
    for (const [name, node] of Object.entries(flags)) this.#machine.flags[name as FlagName] = this.value(node);
  }

  value(node: Expression): bigint {
    const known = this.#known.get(node);
    if (known !== undefined) return known;
    const value = BigInt.asUintN(node.width, this.#compute(node));
    this.#known.set(node, value);
    return value;
  }

  #compute(node: Expression): bigint {
    switch (node.kind) {
      case 'constant':
        return node.value;
      case 'register':
        return (this.#machine.registers[node.index] ?? 0n) >> (node.high ? 8n : 0n);
      case 'memory':
        return this.#load(node);
      case 'flag':
        return this.#machine.flags[node.flag];
      case 'condition':
        return bool(CONDITIONS[node.code](this.#machine.flags));
      case 'binary':
        return binary(node, this.value(node.left), this.value(node.right));
      case 'compare':
        return bool(compare(node, this.value(node.left), this.value(node.right)));
      case 'unary':
        return unary(node, this.value(node.operand));
      case 'select': {
        const [condition, whenTrue, whenFalse] = [node.condition, node.whenTrue, node.whenFalse].map((each) =>
          this.value(each),
        );
        return (condition === 0n ? whenFalse : whenTrue) ?? 0n;
      }
      case 'resize':
        return node.signed ? signed(this.value(node.operand), node.operand.width) : this.value(node.operand);
      case 'divide':
        return this.#divide(node)?.[node.part] ?? 0n;
      case 'divideFits':
        return bool(this.#divide(node) !== undefined);
      default: // vectors are compared with what processors recorded, not with this
        throw new Error(`no reading of ${node.kind} without the tables that it names`);
    }
  }

  #load(place: MemoryPlace): bigint {
    this.value(place.offset);
    const { memory } = this.#machine;
    const isModified = this.#written.has(place);
    const address = this.#address(place, isModified);
    return isModified ? memory.modify(address, place.width / 8) : memory.load(address, place.width / 8);
  }

  #address(place: MemoryPlace, write: boolean): bigint {
    const { memory, mode64, segmentBases } = this.#machine;
    const known = this.#addresses.get(place);
    if (known !== undefined) return known;
    const offset = this.value(place.offset);
    const base = place.segment === 'FS' || place.segment === 'GS' ? segmentBases[place.segment] : 0n;
    const address = mode64
      ? BigInt.asUintN(64, offset + base)
      : memory.segmented(BigInt.asUintN(32, offset), place.segment, place.width / 8, write);
    if (write) this.#addresses.set(place, address);
    return address;
  }

  /** Both parts, or undefined where DIV or IDIV raises #DE. */
  #divide(node: Divide | DivideFits): { quotient: bigint; remainder: bigint } | undefined {
    const [high, low, divisor] = [this.value(node.high), this.value(node.low), this.value(node.divisor)];
    const width = node.divisor.width;
    const whole = (high << BigInt(width)) | low;
    const dividend = node.signed ? signed(whole, 2 * width) : whole;
    const by = node.signed ? signed(divisor, width) : divisor;
    if (by === 0n) return undefined;
    const quotient = dividend / by;
    const fits = quotient === (node.signed ? signed(quotient, width) : BigInt.asUintN(width, quotient));
    return fits ? { quotient, remainder: dividend % by } : undefined;
  }
}

function bits(value: bigint): bigint[] {
  return [...value.toString(2)].filter((digit) => digit === '1').map(() => 1n);
}

function binary({ operator, width }: Binary, left: bigint, right: bigint): bigint {
  const size = BigInt(width);
  const rotated = right % size;
  switch (operator) {
    case 'add':
      return left + right;
    case 'sub':
      return left - right;
    case 'and':
      return left & right;
    case 'or':
      return left | right;
    case 'xor':
      return left ^ right;
    case 'mul':
      return left * right;
    case 'mulHighUnsigned':
      return (left * right) >> size;
    case 'mulHighSigned':
      return (signed(left, width) * signed(right, width)) >> size;
    case 'shl':
      return right >= size ? 0n : left << right;
    case 'shr':
      return right >= size ? 0n : left >> right;
    case 'sar':
      return signed(left, width) >> (right >= size ? size : right);
    case 'rol':
      return (left << rotated) | (left >> (size - rotated));
    case 'ror':
      return (left >> rotated) | (left << (size - rotated));
  }
}

function compare({ operator, left: { width } }: Compare, left: bigint, right: bigint): boolean {
  if (operator === 'equal') return left === right;
  return operator === 'lessUnsigned' ? left < right : signed(left, width) < signed(right, width);
}

function unary({ operator, width }: Unary, value: bigint): bigint {
  const digits = value.toString(2).padStart(width, '0');
  switch (operator) {
    case 'not':
      return ~value;
    case 'neg':
      return -value;
    case 'byteSwap':
      return width === 1
        ? value
        : BigInt(
            `0x${(
              value
                .toString(16)
                .padStart(width / 4, '0')
                .match(/../g) ?? []
            )
              .reverse()
              .join('')}`,
          );
    case 'popCount':
      return BigInt(bits(value).length);
    case 'leadingZeros':
      return BigInt(value === 0n ? width : digits.indexOf('1'));
    case 'trailingZeros':
      return BigInt(value === 0n ? width : width - 1 - digits.lastIndexOf('1'));
  }
}

const CONDITIONS: Readonly<Record<ConditionCode, (flags: Readonly<Record<FlagName, bigint>>) => boolean>> = {
  O: ({ OF }) => OF === 1n,
  NO: ({ OF }) => OF === 0n,
  B: ({ CF }) => CF === 1n,
  AE: ({ CF }) => CF === 0n,
  E: ({ ZF }) => ZF === 1n,
  NE: ({ ZF }) => ZF === 0n,
  BE: ({ CF, ZF }) => CF === 1n || ZF === 1n,
  A: ({ CF, ZF }) => CF === 0n && ZF === 0n,
  S: ({ SF }) => SF === 1n,
  NS: ({ SF }) => SF === 0n,
  P: ({ PF }) => PF === 1n,
  NP: ({ PF }) => PF === 0n,
  L: ({ SF, OF }) => SF !== OF,
  GE: ({ SF, OF }) => SF === OF,
  LE: ({ ZF, SF, OF }) => ZF === 1n || SF !== OF,
  G: ({ ZF, SF, OF }) => ZF === 0n && SF === OF,
};
