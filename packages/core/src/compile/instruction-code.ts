// One instruction as WebAssembly. The order is that of execute/evaluate/lower.ts: what may fault comes before all that is
// written. Whatever needs more than the fast path branches to the slow one before anything is written; there the
// reference path executes the instruction as a whole, and generated code goes on behind it.
import { assertNever } from '../error.js';
import type { ArithmeticFlags, FlagName, Jump, SetFlags, Statement, Write } from '../expression/nodes.js';
import type { FlagState } from './flags-code.js';
import { settleFloat } from './float-code.js';
import { type InstructionFacts, registersIn, statusFlagsAmong } from './instruction-facts.js';
import { RIP_ADDRESS } from './layout.js';
import { storePlace } from './memory-code.js';
import { transferCode } from './transfer-code.js';
import { type CodeScope, ValueCode } from './value-code.js';
import { vectorRegistersIn } from './vector-registers-code.js';
import type { Label, Local } from './wasm/function-code.js';

/** What an instruction needs of the block around it. */
export interface BlockExits {
  /** Goes on at an address that is known. */
  readonly toAddress: (rip: bigint) => void;
  /** Goes on at the address in a local. */
  readonly toLocal: (rip: Local) => void;
  /** The code that follows runs where the fast path does not suffice. */
  readonly slowPath: () => void;
  /** Executes the instruction on the reference path; pushes whether generated code has to be left. */
  readonly callReference: (settled: boolean) => void;
  /** Leaves with registers and flags in memory, after the instruction: for the next one, or where RIP points to already. */
  readonly leave: (rip: bigint | 'set') => void;
}

/** Writes the code of an instruction whose next one is at `next`. */
export function instructionCode(scope: CodeScope, facts: InstructionFacts, next: bigint, exits: BlockExits): void {
  new InstructionCode(scope, facts, next, exits).write();
  scope.code.releaseTemporaries();
}

interface FlagValue {
  readonly flag: FlagName;
  readonly value: Local;
}

class InstructionCode {
  readonly #scope: CodeScope;
  readonly #facts: InstructionFacts;
  readonly #next: bigint;
  readonly #exits: BlockExits;
  readonly #branches: boolean;
  /** What is done when all values are known, in this order. */
  readonly #stores: (() => void)[] = [];
  readonly #flags: (() => void)[] = [];
  readonly #registers: (() => void)[] = [];
  #jump: (() => void) | undefined;

  constructor(scope: CodeScope, facts: InstructionFacts, next: bigint, exits: BlockExits) {
    this.#scope = scope;
    this.#facts = facts;
    this.#next = next;
    this.#exits = exits;
    this.#branches = facts.transfers;
  }

  write(): void {
    const { code, flags } = this.#scope;
    if (!this.#facts.isGenerated || !this.#isOrdered) {
      this.#callOut();
      return;
    }
    if (!this.#facts.mayLeave) {
      this.#fastPath({ depth: -1 });
      return;
    }
    const done = code.open('block');
    const slow = code.open('block');
    const before = flags.state;
    this.#fastPath(slow);
    const after = flags.state;
    if (!this.#branches) code.br(done);
    code.end();
    flags.state = before;
    this.#slowPath(after);
    code.end();
    flags.state = after;
    if (this.#branches) code.op('unreachable');
  }

  #fastPath(slow: Label): void {
    const { effect, loads } = this.#facts;
    const values = new ValueCode(this.#scope, effect, slow);
    for (const statement of effect) this.#check(values, statement);
    for (const statement of effect) this.#prepare(values, statement);
    for (const place of loads) values.place(place); // flags that nobody needs were not computed
    this.#record(values);
    for (const step of [...this.#stores, ...this.#flags, ...this.#registers]) step();
    this.#jump?.();
  }

  /** Of several stores the reference path tries all but the first by reading, which is observed as well. */
  get #isOrdered(): boolean {
    return this.#scope.accesses === undefined || this.#facts.writes.memory.length < 2;
  }

  /** All places are found: the accesses are made, the loads first as on the reference path. */
  #record(values: ValueCode): void {
    const { loads, writes } = this.#facts;
    const reads = loads.map((place) => ({ found: values.place(place), width: place.width, write: false }));
    const stores = writes.memory.map((place) => ({ found: values.place(place), width: place.width, write: true }));
    if (reads.length + stores.length > 0) this.#scope.accesses?.record([...reads, ...stores]);
  }

  /** Conditions that fault, and the one that ends the instruction. */
  #check(values: ValueCode, statement: Statement): void {
    const { code } = this.#scope;
    if (statement.kind === 'faultFirst' || statement.kind === 'faultIf') {
      if (this.#facts.settled.has(statement)) return;
      values.push(statement.condition);
      code.brIf(values.slow);
    } else if (statement.kind === 'endIf') {
      values.push(statement.condition);
      this.#where(() => this.#exits.toAddress(this.#next));
    }
  }

  /** Code that runs where the value on the stack is not 0, and goes elsewhere. */
  #where(write: () => void): void {
    const { code, flags } = this.#scope;
    const { state } = flags;
    code.open('if');
    write();
    code.end();
    flags.state = state;
  }

  #prepare(values: ValueCode, statement: Statement): void {
    switch (statement.kind) {
      case 'write':
        this.#prepareWrite(values, statement);
        return;
      case 'arithmeticFlags':
        this.#prepareArithmetic(values, statement);
        return;
      case 'setFlags':
        this.#prepareFlags(values, statement);
        return;
      case 'jump':
        this.#prepareJump(values, statement);
        return;
      case 'faultIf':
      case 'faultFirst':
      case 'endIf':
        return;
      case 'simdExceptions':
        for (const operation of statement.operations) settleFloat(values, operation);
        return;
      default:
        assertNever(statement);
    }
  }

  #prepareWrite(values: ValueCode, { place, value }: Write): void {
    const { code, registers, vectors } = this.#scope;
    const local = values.toLocal(value);
    switch (place.kind) {
      case 'register':
        this.#registers.push(() => registers.write(place, local));
        return;
      case 'vectorRegister':
        this.#registers.push(() => vectors.write(place.index, local));
        return;
      case 'memory':
      case 'vectorMemory': {
        const found = values.place(place);
        this.#stores.push(() => storePlace(code, place, found, local));
        return;
      }
      default:
        assertNever(place);
    }
  }

  #prepareArithmetic(values: ValueCode, { rule, left, right, result }: ArithmeticFlags): void {
    if (this.#facts.neededFlags.size === 0) return;
    const { code, flags } = this.#scope;
    const width = result.width as 8 | 16 | 32 | 64;
    const isLogic = rule === 'logic';
    const from = isLogic ? [] : [values.toLocal(left), values.toLocal(right)];
    const resultLocal = values.toLocal(result);
    const isPlain =
      (result.kind === 'binary' && result.left === left && result.right === right) ||
      (result.kind === 'unary' && result.operator === 'neg');
    this.#flags.push(() => {
      if (rule === 'inc' || rule === 'dec') flags.keepCarry();
      const operands = flags.operandsFor(width);
      const to = isLogic ? [] : [operands.left, operands.right];
      [...from, resultLocal].forEach((value, index) => {
        code.get(value);
        code.set([...to, operands.result][index] as Local);
      });
      flags.record(rule, width, isPlain);
    });
  }

  #prepareFlags(values: ValueCode, { flags: written, when }: SetFlags): void {
    const { code, flags } = this.#scope;
    const needed = (Object.keys(written) as FlagName[]).filter((name) => this.#facts.neededFlags.has(name));
    const computed: readonly FlagValue[] = needed.map((flag) => {
      const value = code.temporary('i32');
      values.push(written[flag] as NonNullable<(typeof written)[FlagName]>);
      if (when !== undefined) {
        flags.flag(flag);
        values.push(when);
        code.op('select');
      }
      code.set(value);
      return { flag, value };
    });
    this.#flags.push(() => {
      for (const { flag, value } of computed) {
        if (flag === 'DF') flags.setDirection(value);
        else {
          code.get(value);
          code.set(flags.bit(flag));
        }
      }
      flags.single(statusFlagsAmong(needed));
    });
  }

  #prepareJump(values: ValueCode, { target, when }: Jump): void {
    const { code } = this.#scope;
    const to = target.kind === 'constant' ? target.value : values.toLocal(target);
    if (typeof to !== 'bigint') this.#checkTarget(to, values.slow);
    const taken = when === undefined ? undefined : values.toLocal(when);
    const go = (): void => (typeof to === 'bigint' ? this.#exits.toAddress(to) : this.#exits.toLocal(to));
    this.#jump = () => {
      if (taken === undefined) go();
      else {
        code.get(taken);
        this.#where(go);
        this.#exits.toAddress(this.#next);
      }
    };
  }

  /** The reference path raises #GP(0) for a target that is not canonical; 48 bits suffice for both kinds of paging here. */
  #checkTarget(target: Local, slow: Label): void {
    if (!this.#scope.mode64) return;
    const { code } = this.#scope;
    code.get(target);
    code.i64(16n);
    code.op('i64.shl');
    code.i64(16n);
    code.op('i64.shr_s');
    code.get(target);
    code.op('i64.ne');
    code.brIf(slow);
  }

  /** After it the locals hold what the fast path leaves in them. */
  #slowPath(after: FlagState): void {
    const { flags, registers, vectors } = this.#scope;
    const { effect, writes } = this.#facts;
    const arithmetic = effect.find((statement) => statement.kind === 'arithmeticFlags');
    this.#exits.slowPath();
    this.#callReference(arithmetic === undefined && writes.flags.size > 0);
    if (this.#branches) return;
    registers.reload(registersIn(writes.registers));
    vectors.reload(vectorRegistersIn(writes.named));
    if (this.#facts.neededFlags.size > 0 && arithmetic !== undefined)
      flags.reloadRecord(arithmetic.rule, arithmetic.result.width);
    else flags.reloadSingle(statusFlagsAmong(this.#facts.neededFlags).filter((flag) => after.bits.has(flag)));
    if (this.#facts.neededFlags.has('DF')) flags.reloadDirection();
  }

  /** An instruction that the reference path executes, always or where a transfer is not made. */
  #callOut(): void {
    const { code, flags, registers, vectors } = this.#scope;
    const transfer = this.#facts.form?.transfer;
    if (transfer === undefined) this.#exits.slowPath();
    this.#storeAll();
    if (transfer !== undefined) {
      transferCode(code, transfer, this.#next, () => this.#exits.leave('set'));
      this.#exits.slowPath();
    }
    this.#callStored(!this.#branches);
    if (this.#branches) {
      this.#scope.code.op('unreachable');
      return;
    }
    registers.reload(registersIn(this.#facts.writes.registers));
    vectors.reload(vectorRegistersIn(this.#facts.writes.named));
    flags.reload();
  }

  #callReference(settled: boolean): void {
    this.#storeAll();
    this.#callStored(settled);
  }

  #storeAll(): void {
    const { flags, registers, vectors, accesses } = this.#scope;
    registers.store();
    vectors.store();
    flags.store(!this.#facts.isGenerated);
    accesses?.store();
  }

  #callStored(settled: boolean): void {
    const { code, accesses } = this.#scope;
    this.#exits.callReference(settled);
    if (this.#branches) {
      code.op('drop');
      this.#exits.leave('set');
      return;
    }
    code.open('if');
    this.#exits.leave(this.#next);
    code.end();
    accesses?.restart();
  }
}

/** Sets RIP to the value on the stack. */
export function storeRip(scope: CodeScope, push: () => void): void {
  scope.code.i32(0);
  push();
  scope.code.memory('i64.store', RIP_ADDRESS);
}
