// Fast system calls and their returns as data (SDM, "SYSENTER—Fast System Call", "SYSCALL—Fast System Call", and their
// returns): which selectors they load, where RIP and RSP come from, what becomes of RFLAGS. The reference path executes
// such a row, and generated code is made from it. Left out: the checks before it, which are rows of the instructions.
import { CODE_32, CODE_64, DATA, loadFlatSegments, USER } from '../memory/flat-segment.js';
import { slotOf } from '../register/register-file.js';
import { RFLAGS_FIXED } from '../register/rflags.js';
import type { Cpu } from '../state/cpu.js';

/** Sixteen bits of a register, from which both selectors are made; those of RPL count as 0. */
interface SelectorSource {
  readonly slot: number;
  /** The first of the bits. */
  readonly bit: 0 | 32 | 48;
  /** What is added for CS, and for SS. */
  readonly code: number;
  readonly stack: number;
}

/** RFLAGS afterwards: the flags before or those in a register, less what is cleared, with what is set. */
interface TransferredFlags {
  /** A register with new flags, and which of them are taken. */
  readonly from?: { readonly slot: number; readonly mask: number };
  readonly cleared: number;
  /** A register with more that is cleared. */
  readonly clearedBy?: number;
  readonly set: number;
}

/** One transfer between privilege levels. Numbers of registers are slots. */
export interface FastTransfer {
  readonly selectors: SelectorSource;
  readonly level: 0 | 3;
  /** 64-bit code is entered, and pointers count as a whole; else 32-bit code, and their low halves do. */
  readonly long: boolean;
  readonly pointer: number;
  /** Absent: RSP stays. */
  readonly stackPointer?: number;
  /** What keeps RIP of the next instruction, and RFLAGS. */
  readonly savedPointer?: number;
  readonly savedFlags?: number;
  /** Absent: RFLAGS stays. */
  readonly flags?: TransferredFlags;
}

/** What must hold of a register before generated code does a transfer: bits of its low half, all 0, all 1, or not all 0. */
export interface TransferGuard {
  readonly slot: number;
  readonly bits: number;
  readonly are: 'zero' | 'one' | 'some';
}

/** A transfer of generated code, in code of some width. Where a guard does not hold, the instruction is executed in whole. */
export interface GuardedTransfer {
  readonly transfer: FastTransfer;
  /** With these no check of the instruction fails. */
  readonly guards: readonly TransferGuard[];
  /** Registers that must hold a canonical address. */
  readonly canonical: readonly number[];
}

const SELECTOR = 0xfffc;
const [RIP, RSP] = [slotOf('RIP'), slotOf('RSP')];
const FLAGS_UPPER_HALF = slotOf('RFLAGS') * 2 + 1;

/** What the descriptor caches of CS and SS hold afterwards. */
export const transferredAttributes = ({
  long,
  level,
}: FastTransfer): { readonly code: number; readonly stack: number } => ({
  code: (long ? CODE_64 : CODE_32) | (level === 0 ? 0 : USER),
  stack: DATA | (level === 0 ? 0 : USER),
});

/** Makes a transfer, after the checks. RIP is that of the next instruction. */
export function makeTransfer(cpu: Cpu, transfer: FastTransfer): void {
  const { words } = cpu;
  const { selectors, level, long, pointer, stackPointer, savedPointer, savedFlags, flags } = transfer;
  const selector = ((words[selectors.slot * 2 + (selectors.bit >> 5)] as number) >>> (selectors.bit & 31)) & SELECTOR;
  const [low, high] = [words[pointer * 2] as number, long ? (words[pointer * 2 + 1] as number) : 0];
  if (flags !== undefined || savedFlags !== undefined) {
    const before = cpu.EFLAGS;
    if (flags !== undefined) cpu.EFLAGS = flagsAfter(words, flags, before);
    if (savedFlags !== undefined) cpu.writeWords(savedFlags, before, words[FLAGS_UPPER_HALF] as number);
  }
  if (savedPointer !== undefined) cpu.writeWords(savedPointer, words[RIP * 2] as number, words[RIP * 2 + 1] as number);
  const { code, stack } = transferredAttributes(transfer);
  loadFlatSegments(cpu, (selector + selectors.code) | level, code, (selector + selectors.stack) | level, stack);
  if (stackPointer !== undefined)
    cpu.writeWords(RSP, words[stackPointer * 2] as number, long ? (words[stackPointer * 2 + 1] as number) : 0);
  cpu.writeWords(RIP, low, high);
}

function flagsAfter(words: Int32Array, { from, cleared, clearedBy, set }: TransferredFlags, before: number): number {
  const taken = from === undefined ? before : (words[from.slot * 2] as number) & from.mask;
  const masked = clearedBy === undefined ? 0 : (words[clearedBy * 2] as number);
  return (taken & ~(cleared | masked)) | set | RFLAGS_FIXED;
}
