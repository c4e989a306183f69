// Fast system calls as WebAssembly, from the rows that the reference path executes (instruction/fast-transfer.ts). Registers
// and flags are in memory then. The TLB has a bank for each level and the dispatcher looks at the mode, so that a change of
// the level is a few stores here; the runner hears of it when it is asked for something.
import { modeKey, USER_MODE } from '../execute/code-mode.js';
import { type FastTransfer, type GuardedTransfer, transferredAttributes } from '../instruction/fast-transfer.js';
import { slotOf } from '../register/register-file.js';
import { RFLAGS, RFLAGS_FIXED } from '../register/rflags.js';
import { ATTENTION_WORD, INTERRUPTED_WORD, MODE_WORD } from '../state/workbench.js';
import { PENDING_ADDRESS, RFLAGS_ADDRESS, RIP_ADDRESS } from './layout.js';
import type { FunctionCode, Label, Local } from './wasm/function-code.js';

const { TF, RF, VM, AC, IF } = RFLAGS.bits;
/** Flags on which more depends than the level: with one of them the reference path makes the transfer. */
const SPECIAL = (1 << TF) | (1 << RF) | (1 << VM) | (1 << AC);
const SELECTOR = 0xfffc;
const LIMIT = 0xffff_ffffn;
/** The bits that bits 63:47 of a canonical address repeat, above the others. */
const NOT_CANONICAL_SHIFT = 16n;
const [RSP, CS, SS] = [slotOf('RSP'), slotOf('CS.selector'), slotOf('SS.selector')];
const addressOf = (slot: number): number => slot * 8;

/** Writes the transfer, and `leave` behind it; the code goes on behind all of it where the transfer is not made. */
export function transferCode(code: FunctionCode, guarded: GuardedTransfer, next: bigint, leave: () => void): void {
  new TransferCode(code, guarded, next).write(leave);
}

class TransferCode {
  readonly #code: FunctionCode;
  readonly #guarded: GuardedTransfer;
  readonly #transfer: FastTransfer;
  readonly #next: bigint;
  readonly #before: Local;
  readonly #after: Local;

  constructor(code: FunctionCode, guarded: GuardedTransfer, next: bigint) {
    this.#code = code;
    this.#guarded = guarded;
    this.#transfer = guarded.transfer;
    this.#next = next;
    this.#before = code.temporary('i32');
    this.#after = code.temporary('i32');
  }

  write(leave: () => void): void {
    const slow = this.#code.open('block');
    this.#guards(slow);
    this.#flags(slow);
    this.#saved();
    this.#segments();
    const { pointer, stackPointer } = this.#transfer;
    if (stackPointer !== undefined) this.#move(stackPointer, addressOf(RSP));
    this.#move(pointer, RIP_ADDRESS);
    this.#mode();
    leave();
    this.#code.end();
  }

  #guards(slow: Label): void {
    const code = this.#code;
    for (const { slot, bits, are } of this.#guarded.guards) {
      code.loadAt('i32.load', addressOf(slot));
      code.i32(bits);
      code.op('i32.and');
      if (are === 'some') code.op('i32.eqz');
      else if (are === 'one') {
        code.i32(bits);
        code.op('i32.ne');
      }
      code.brIf(slow);
    }
    for (const slot of this.#guarded.canonical) {
      code.loadAt('i64.load', addressOf(slot));
      code.i64(NOT_CANONICAL_SHIFT);
      code.op('i64.shl');
      code.i64(NOT_CANONICAL_SHIFT);
      code.op('i64.shr_s');
      code.loadAt('i64.load', addressOf(slot));
      code.op('i64.ne');
      code.brIf(slow);
    }
  }

  /** Before and after; where single flags are taken or kept, none may be pending. */
  #flags(slow: Label): void {
    const code = this.#code;
    const { flags, savedFlags } = this.#transfer;
    if (savedFlags !== undefined || flags?.from !== undefined || flags?.clearedBy !== undefined) {
      code.loadAt('i32.load', PENDING_ADDRESS.rule);
      code.brIf(slow);
    }
    code.loadAt('i32.load', RFLAGS_ADDRESS);
    code.set(this.#before);
    this.#pushFlagsAfter();
    code.tee(this.#after);
    code.get(this.#before);
    code.op('i32.or');
    code.i32(SPECIAL);
    code.op('i32.and');
    code.brIf(slow);
    if (flags === undefined) return;
    this.#store('i32.store', RFLAGS_ADDRESS, () => code.get(this.#after));
    if (flags.from !== undefined || flags.set !== 0) this.#attend();
  }

  #pushFlagsAfter(): void {
    const code = this.#code;
    const { flags } = this.#transfer;
    if (flags?.from === undefined) code.get(this.#before);
    else {
      code.loadAt('i32.load', addressOf(flags.from.slot));
      code.i32(flags.from.mask);
      code.op('i32.and');
    }
    if (flags === undefined) return;
    code.i32(~flags.cleared);
    code.op('i32.and');
    if (flags.clearedBy !== undefined) {
      code.loadAt('i32.load', addressOf(flags.clearedBy));
      code.i32(-1);
      code.op('i32.xor');
      code.op('i32.and');
    }
    code.i32(flags.set | RFLAGS_FIXED);
    code.op('i32.or');
  }

  /** An interrupt that was held back is looked at where IF is set. */
  #attend(): void {
    const code = this.#code;
    code.get(this.#after);
    code.i32(1 << IF);
    code.op('i32.and');
    code.open('if');
    this.#store('i32.store', INTERRUPTED_WORD * 4, () => {
      code.loadAt('i32.load', INTERRUPTED_WORD * 4);
      code.loadAt('i32.load', ATTENTION_WORD * 4);
      code.op('i32.or');
    });
    code.end();
  }

  #saved(): void {
    const code = this.#code;
    const { savedPointer, savedFlags } = this.#transfer;
    if (savedPointer !== undefined) this.#store('i64.store', addressOf(savedPointer), () => code.i64(this.#next));
    if (savedFlags === undefined) return;
    this.#store('i64.store', addressOf(savedFlags), () => {
      code.get(this.#before);
      code.op('i64.extend_i32_u');
    });
  }

  #segments(): void {
    const { selectors } = this.#transfer;
    const { code, stack } = transferredAttributes(this.#transfer);
    this.#segment(CS, selectors.code, code);
    this.#segment(SS, selectors.stack, stack);
  }

  #segment(slot: number, added: number, attributes: number): void {
    const code = this.#code;
    const { selectors, level } = this.#transfer;
    this.#store('i64.store', addressOf(slot), () => {
      code.loadAt('i32.load', addressOf(selectors.slot) + (selectors.bit >> 5) * 4);
      code.i32(selectors.bit & 31);
      code.op('i32.shr_u');
      code.i32(SELECTOR);
      code.op('i32.and');
      code.i32(added + level);
      code.op('i32.add');
      code.i32(0xffff);
      code.op('i32.and');
      code.op('i64.extend_i32_u');
    });
    const parts = [0n, LIMIT, BigInt(attributes)]; // base, limit, attributes
    for (const [index, value] of parts.entries())
      this.#store('i64.store', addressOf(slot + 1 + index), () => code.i64(value));
  }

  /** A pointer as a whole, or its low half with zeros above it. */
  #move(from: number, address: number): void {
    const code = this.#code;
    this.#store('i64.store', address, () => {
      if (this.#transfer.long) code.loadAt('i64.load', addressOf(from));
      else {
        code.loadAt('i32.load', addressOf(from));
        code.op('i64.extend_i32_u');
      }
    });
  }

  /** Widths stay: 64-bit code goes on in 64-bit code, and of 32-bit code the stack is as wide as its code. */
  #mode(): void {
    const code = this.#code;
    const { long, level } = this.#transfer;
    this.#store('i32.store', MODE_WORD * 4, () => {
      if (!long) {
        code.i32(modeKey(32, 32, level === 3, false));
        return;
      }
      code.loadAt('i32.load', MODE_WORD * 4);
      code.i32(USER_MODE - 1);
      code.op('i32.and');
      code.i32(level === 3 ? USER_MODE : 0);
      code.op('i32.or');
    });
  }

  #store(operation: 'i32.store' | 'i64.store', address: number, push: () => void): void {
    this.#code.i32(0);
    push();
    this.#code.memory(operation, address);
  }
}
