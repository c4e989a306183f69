// Status flags in generated code (SDM, "Status Flags"). Within a block it is known which operation set them last: its operands
// stay in locals, and a flag is computed where somebody reads it. Where blocks meet, and where the reference path takes
// over, the flags have the form of the record that execute/evaluate/flags.ts keeps: a rule, and pairs.
import { PENDING_RULE } from '../execute/evaluate/flags.js';
import type { ConditionCode, FlagName, FlagRule } from '../expression/nodes.js';
import { RFLAGS, STATUS_FLAGS } from '../register/rflags.js';
import { PENDING_ADDRESS, RFLAGS_ADDRESS } from './layout.js';
import type { FunctionCode, Local } from './wasm/function-code.js';

export type StatusFlag = Exclude<FlagName, 'DF'>;
export const STATUS_FLAG_NAMES: readonly StatusFlag[] = ['CF', 'PF', 'AF', 'ZF', 'SF', 'OF'];

/** The last arithmetic, by its operands and its result. */
interface FlagsRecord {
  readonly rule: FlagRule;
  readonly width: 8 | 16 | 32 | 64;
  readonly left: Local;
  readonly right: Local;
  readonly result: Local;
  /** The result is the sum or the difference of the operands alone: no carry came in. */
  readonly plain: boolean;
}

/** Where the flags are, at one place of the code. */
export interface FlagState {
  /** What all flags come from that are not in `bits`; without it they are in the locals of the pending record. */
  readonly record: FlagsRecord | undefined;
  /** Single flags, each 0 or 1. */
  readonly bits: ReadonlyMap<StatusFlag, Local>;
}

/** The state where blocks meet. */
export const PENDING_STATE: FlagState = { record: undefined, bits: new Map() };

type Form = 'record' | 'pending' | 'settled';
interface OperandLocals {
  readonly left: Local;
  readonly right: Local;
  readonly result: Local;
}

/** The flags of one function. */
export class FlagsCode {
  readonly #code: FunctionCode;
  /** RFLAGS without the flags that are elsewhere; DF is always here. */
  readonly #rflags: Local;
  readonly #rule: Local;
  readonly #pending: OperandLocals;
  readonly #operands: Partial<Record<'i32' | 'i64', OperandLocals>> = {};
  readonly #bits = new Map<StatusFlag, Local>();
  state: FlagState = PENDING_STATE;

  constructor(code: FunctionCode) {
    this.#code = code;
    this.#rflags = code.local('i32', 'RFLAGS');
    this.#rule = code.local('i32', 'rule');
    this.#pending = {
      left: code.local('i64', 'left'),
      right: code.local('i64', 'right'),
      result: code.local('i64', 'result'),
    };
  }

  /** At the beginning of the function. */
  load(): void {
    const code = this.#code;
    code.loadAt('i32.load', RFLAGS_ADDRESS);
    code.set(this.#rflags);
    code.loadAt('i32.load', PENDING_ADDRESS.rule);
    code.set(this.#rule);
    for (const name of ['left', 'right', 'result'] as const) {
      code.loadAt('i64.load', PENDING_ADDRESS[name]);
      code.set(this.#pending[name]);
    }
    this.state = PENDING_STATE;
  }

  /** The locals that the next record takes: values of less than 64 bits in 32-bit locals. */
  operandsFor(width: number): OperandLocals {
    const type = width === 64 ? 'i64' : 'i32';
    const code = this.#code;
    const bits = type === 'i64' ? 64 : 32;
    this.#operands[type] ??= {
      left: code.local(type, `left.${bits}`),
      right: code.local(type, `right.${bits}`),
      result: code.local(type, `result.${bits}`),
    };
    return this.#operands[type] as OperandLocals;
  }

  /** Keeps CF where INC and DEC leave it: before the operands of the new record are set. */
  keepCarry(): void {
    if (this.state.bits.has('CF')) return;
    this.flag('CF');
    this.#code.set(this.bit('CF'));
  }

  /** From here on the flags are those of an operation, whose operands are in the locals of `operandsFor`. */
  record(rule: FlagRule, width: FlagsRecord['width'], plain: boolean): void {
    const bits = new Map<StatusFlag, Local>();
    if (keepsCarry(rule)) bits.set('CF', this.bit('CF'));
    this.state = { record: { rule, width, ...this.operandsFor(width), plain }, bits };
  }

  /** The local of a single flag. */
  bit(flag: StatusFlag): Local {
    const local = this.#bits.get(flag) ?? this.#code.local('i32', flag);
    this.#bits.set(flag, local);
    return local;
  }

  /** From here on single flags are in their locals. */
  single(flags: readonly StatusFlag[]): void {
    const bits = new Map(this.state.bits);
    for (const flag of flags) bits.set(flag, this.bit(flag));
    const all = bits.size === STATUS_FLAG_NAMES.length;
    this.state = { record: all ? undefined : this.state.record, bits };
  }

  /** DF takes the value on the stack, through a local. */
  setDirection(value: Local): void {
    const code = this.#code;
    code.get(this.#rflags);
    code.i32(~(1 << RFLAGS.bits.DF));
    code.op('i32.and');
    code.get(value);
    code.i32(RFLAGS.bits.DF);
    code.op('i32.shl');
    code.op('i32.or');
    code.set(this.#rflags);
  }

  /** Pushes a flag: 0 or 1. */
  flag(name: FlagName): void {
    const { record, bits } = this.state;
    const bit = name === 'DF' ? undefined : bits.get(name);
    if (bit !== undefined) this.#code.get(bit);
    else if (name === 'DF') this.#settledFlag('DF');
    else if (record !== undefined) this.#recorded(name, record);
    else this.#pendingFlag(name);
  }

  /** Pushes whether a condition of Jcc holds (SDM, "EFLAGS Condition Codes"). */
  condition(code: ConditionCode): void {
    const { record, bits } = this.state;
    if (record !== undefined && bits.size === 0 && this.#compared(code, record)) return;
    const [flags, negated] = CONDITIONS[code];
    flags(this);
    if (negated) this.#code.op('i32.eqz');
  }

  /** Pushes SF ≠ OF. */
  less(): void {
    this.flag('SF');
    this.flag('OF');
    this.#code.op('i32.xor');
  }

  either(first: FlagName | 'less', second: FlagName): void {
    if (first === 'less') this.less();
    else this.flag(first);
    this.flag(second);
    this.#code.op('i32.or');
  }

  /** Conditions after a comparison, and signs after logic, as one WebAssembly comparison. */
  #compared(condition: ConditionCode, { rule, width, left, right, result, plain }: FlagsRecord): boolean {
    const code = this.#code;
    const type = width === 64 ? 'i64' : 'i32';
    if (condition === 'E' || condition === 'NE') {
      code.get(result);
      code.op(`${type}.eqz`);
      if (condition === 'NE') code.op('i32.eqz');
      return true;
    }
    const comparison = COMPARISONS[condition];
    if (comparison === undefined) return false;
    if (rule === 'sub' && plain) {
      const isSigned = comparison.endsWith('_s');
      this.#operand(left, width, isSigned);
      this.#operand(right, width, isSigned);
      code.op(`${type}.${comparison}`);
      return true;
    }
    if (rule !== 'logic' || !comparison.endsWith('_s')) return false;
    this.#operand(result, width, true);
    if (type === 'i64') code.i64(0n);
    else code.i32(0);
    code.op(`${type}.${comparison}`);
    return true;
  }

  #operand(local: Local, width: number, isSigned: boolean): void {
    this.#code.get(local);
    if (isSigned && width === 8) this.#code.op('i32.extend8_s');
    if (isSigned && width === 16) this.#code.op('i32.extend16_s');
  }

  #recorded(flag: StatusFlag, record: FlagsRecord): void {
    const { rule, width, left, right, result, plain } = record;
    const code = this.#code;
    const type = width === 64 ? 'i64' : 'i32';
    switch (flag) {
      case 'ZF':
        code.get(result);
        code.op(`${type}.eqz`);
        return;
      case 'PF':
        this.#parity(result);
        return;
      case 'SF':
        code.get(result);
        this.#top(width);
        return;
      case 'AF':
        if (rule === 'logic') code.i32(0);
        else this.#adjust(record);
        return;
      case 'OF':
        if (rule === 'logic') code.i32(0);
        else this.#overflow(record);
        return;
      case 'CF':
        if (rule === 'logic') code.i32(0);
        else if (plain) {
          code.get(rule === 'sub' ? left : result);
          code.get(rule === 'sub' ? right : left);
          code.op(`${type}.lt_u`);
        } else {
          this.#carry(rule, type, left, right, result);
          this.#top(width);
        }
    }
  }

  /** Pushes a value whose most significant bit is the carry of an addition or a subtraction with a carry in. */
  #carry(rule: FlagRule, type: 'i32' | 'i64', left: Local, right: Local, result: Local): void {
    const code = this.#code;
    const inverted = (local: Local, when: boolean): void => {
      code.get(local);
      if (!when) return;
      if (type === 'i64') code.i64(-1n);
      else code.i32(-1);
      code.op(`${type}.xor`);
    };
    const isSub = rule === 'sub';
    inverted(left, isSub);
    code.get(right);
    code.op(`${type}.and`);
    inverted(left, isSub);
    code.get(right);
    code.op(`${type}.or`);
    inverted(result, !isSub);
    code.op(`${type}.and`);
    code.op(`${type}.or`);
  }

  #overflow({ rule, width, left, right, result }: FlagsRecord): void {
    const code = this.#code;
    const type = width === 64 ? 'i64' : 'i32';
    const isSub = rule === 'sub' || rule === 'dec';
    code.get(left);
    code.get(isSub ? right : result);
    code.op(`${type}.xor`);
    code.get(isSub ? left : right);
    code.get(result);
    code.op(`${type}.xor`);
    code.op(`${type}.and`);
    this.#top(width);
  }

  #adjust({ width, left, right, result }: FlagsRecord): void {
    const code = this.#code;
    const type = width === 64 ? 'i64' : 'i32';
    code.get(left);
    code.get(right);
    code.op(`${type}.xor`);
    code.get(result);
    code.op(`${type}.xor`);
    if (type === 'i64') code.op('i32.wrap_i64');
    this.#bitOf(4);
  }

  #parity(result: Local): void {
    const code = this.#code;
    code.get(result);
    if (result.type === 'i64') code.op('i32.wrap_i64');
    code.i32(0xff);
    code.op('i32.and');
    code.op('i32.popcnt');
    code.i32(1);
    code.op('i32.and');
    code.op('i32.eqz');
  }

  /** The most significant bit of the value on the stack. */
  #top(width: number): void {
    const code = this.#code;
    if (width === 64) {
      code.i64(63n);
      code.op('i64.shr_u');
      code.op('i32.wrap_i64');
    } else this.#bitOf(width - 1);
  }

  #bitOf(bit: number): void {
    const code = this.#code;
    if (bit > 0) {
      code.i32(bit);
      code.op('i32.shr_u');
    }
    code.i32(1);
    code.op('i32.and');
  }

  #settledFlag(name: FlagName): void {
    this.#code.get(this.#rflags);
    this.#bitOf(RFLAGS.bits[name]);
  }

  /** A flag of the pending record, whose rule is known when the code runs. */
  #pendingFlag(name: StatusFlag): void {
    const code = this.#code;
    const { left, right, result } = this.#pending;
    const pairRecord = (rule: FlagRule): FlagsRecord => ({ rule, width: 64, left, right, result, plain: false });
    /** Chooses the value on the stack where the rule is one of `rules`, else the one below it. */
    const choose = (...rules: readonly (keyof typeof PENDING_RULE)[]): void => {
      rules.forEach((rule, index) => {
        code.get(this.#rule);
        code.i32(PENDING_RULE[rule]);
        code.op('i32.eq');
        if (index > 0) code.op('i32.or');
      });
      code.op('select');
    };
    // `select` takes the first of two values where the condition holds.
    if (name === 'CF') {
      this.#recorded('CF', pairRecord('sub'));
      this.#recorded('CF', pairRecord('add'));
      choose('sub');
      this.#settledFlag('CF');
      choose('sub', 'add');
      this.#clearAfterLogic();
      return;
    }
    if (name === 'OF') {
      this.#recorded('OF', pairRecord('sub'));
      this.#recorded('OF', pairRecord('add'));
      choose('sub', 'dec');
      this.#clearAfterLogic();
    } else {
      this.#recorded(name, pairRecord('add'));
      if (name === 'AF') this.#clearAfterLogic();
    }
    const value = code.temporary('i32');
    code.set(value);
    this.#settledFlag(name);
    code.get(value);
    choose('none');
  }

  #clearAfterLogic(): void {
    const code = this.#code;
    code.get(this.#rule);
    code.i32(PENDING_RULE.logic);
    code.op('i32.ne');
    code.op('i32.and');
  }

  #form(): Form {
    const { record, bits } = this.state;
    if (record === undefined) return bits.size === 0 ? 'pending' : 'settled';
    const others = bits.size - (keepsCarry(record.rule) && bits.has('CF') ? 1 : 0);
    return others === 0 ? 'record' : 'settled';
  }

  /** Pushes RFLAGS as it stands beside a record, or with all flags in it. */
  #rflagsWord(form: Form): void {
    const code = this.#code;
    const flags = form === 'settled' ? STATUS_FLAG_NAMES : form === 'record' ? [...this.state.bits.keys()] : [];
    code.get(this.#rflags);
    if (flags.length === 0) return;
    code.i32(~(flags.length === STATUS_FLAG_NAMES.length ? STATUS_FLAGS : maskOf(flags)));
    code.op('i32.and');
    for (const flag of flags) {
      this.flag(flag);
      code.i32(RFLAGS.bits[flag]);
      code.op('i32.shl');
      code.op('i32.or');
    }
  }

  #pair(value: Local, width: number): void {
    const code = this.#code;
    code.get(value);
    if (width === 64) return;
    code.op('i64.extend_i32_u');
    code.get(value);
    code.op('i64.extend_i32_u');
    code.i64(BigInt(64 - width));
    code.op('i64.shl');
    code.op('i64.or');
  }

  /** Brings the flags into the form that blocks expect where they meet. */
  meet(): void {
    const code = this.#code;
    const form = this.#form();
    if (form === 'pending') return;
    this.#rflagsWord(form);
    code.set(this.#rflags);
    const { record } = this.state;
    if (form === 'record' && record !== undefined) {
      for (const name of pairsOf(record.rule)) {
        this.#pair(record[name], record.width);
        code.set(this.#pending[name]);
      }
      code.i32(PENDING_RULE[record.rule]);
    } else code.i32(PENDING_RULE.none);
    code.set(this.#rule);
    this.state = PENDING_STATE;
  }

  /**
   * Writes the flags to memory; the locals stay as they are. `settled`: as bits of RFLAGS, unless what they come from is
   * known only when the code runs.
   */
  store(settled = false): void {
    const code = this.#code;
    const found = this.#form();
    const form = settled && found === 'record' ? 'settled' : found;
    code.i32(0);
    this.#rflagsWord(form);
    code.memory('i32.store', RFLAGS_ADDRESS);
    const { record } = this.state;
    code.i32(0);
    if (form === 'pending') code.get(this.#rule);
    else code.i32(form === 'record' && record !== undefined ? PENDING_RULE[record.rule] : PENDING_RULE.none);
    code.memory('i32.store', PENDING_ADDRESS.rule);
    if (form === 'settled') return;
    for (const name of record === undefined ? PAIRS : pairsOf(record.rule)) {
      code.i32(0);
      if (record === undefined) code.get(this.#pending[name]);
      else this.#pair(record[name], record.width);
      code.memory('i64.store', PENDING_ADDRESS[name]);
    }
  }

  /** After the reference path executed an instruction that leaves a record: its operands are in memory. */
  reloadRecord(rule: FlagRule, width: number): void {
    const operands = this.operandsFor(width);
    for (const name of pairsOf(rule)) {
      this.#code.loadAt(width === 64 ? 'i64.load' : 'i32.load', PENDING_ADDRESS[name]);
      this.#code.set(operands[name]);
    }
    if (keepsCarry(rule)) this.#reloadBit('CF');
  }

  /** After the reference path executed an instruction that writes single flags and settled them. */
  reloadSingle(flags: readonly StatusFlag[]): void {
    for (const flag of flags) this.#reloadBit(flag);
  }

  /** The same for DF, which has no local of its own. */
  reloadDirection(): void {
    const direction = this.#code.temporary('i32');
    this.#settledFromMemory('DF');
    this.#code.set(direction);
    this.setDirection(direction);
  }

  #reloadBit(flag: StatusFlag): void {
    this.#settledFromMemory(flag);
    this.#code.set(this.bit(flag));
  }

  #settledFromMemory(flag: FlagName): void {
    this.#code.loadAt('i32.load', RFLAGS_ADDRESS);
    this.#bitOf(RFLAGS.bits[flag]);
  }

  /** After the reference path did something to the flags and settled them. */
  reload(): void {
    const code = this.#code;
    code.loadAt('i32.load', RFLAGS_ADDRESS);
    code.set(this.#rflags);
    code.i32(PENDING_RULE.none);
    code.set(this.#rule);
    this.state = PENDING_STATE;
  }
}

const PAIRS = ['left', 'right', 'result'] as const;
/** The flags of logic depend on the result alone. */
const pairsOf = (rule: FlagRule): readonly (typeof PAIRS)[number][] => (rule === 'logic' ? ['result'] : PAIRS);
const keepsCarry = (rule: FlagRule): boolean => rule === 'inc' || rule === 'dec';
const maskOf = (flags: readonly StatusFlag[]): number =>
  flags.reduce((mask, flag) => mask | (1 << RFLAGS.bits[flag]), 0);

type Comparison = 'lt_u' | 'ge_u' | 'le_u' | 'gt_u' | 'lt_s' | 'ge_s' | 'le_s' | 'gt_s';

/** Conditions that compare the operands of a subtraction. */
const COMPARISONS: Readonly<Partial<Record<ConditionCode, Comparison>>> = {
  B: 'lt_u',
  AE: 'ge_u',
  BE: 'le_u',
  A: 'gt_u',
  L: 'lt_s',
  GE: 'ge_s',
  LE: 'le_s',
  G: 'gt_s',
};

/** What a condition asks of the flags, and whether the opposite. */
const CONDITIONS: Readonly<Record<ConditionCode, readonly [flags: (code: FlagsCode) => void, negated: boolean]>> = {
  O: [(code) => code.flag('OF'), false],
  NO: [(code) => code.flag('OF'), true],
  B: [(code) => code.flag('CF'), false],
  AE: [(code) => code.flag('CF'), true],
  E: [(code) => code.flag('ZF'), false],
  NE: [(code) => code.flag('ZF'), true],
  BE: [(code) => code.either('CF', 'ZF'), false],
  A: [(code) => code.either('CF', 'ZF'), true],
  S: [(code) => code.flag('SF'), false],
  NS: [(code) => code.flag('SF'), true],
  P: [(code) => code.flag('PF'), false],
  NP: [(code) => code.flag('PF'), true],
  L: [(code) => code.less(), false],
  GE: [(code) => code.less(), true],
  LE: [(code) => code.either('less', 'ZF'), false],
  G: [(code) => code.either('less', 'ZF'), true],
};
