// The same processor twice: in the hot memory, for closures, and as BigInts, for the oracle.

import { settleFlags } from '../../../src/execute/evaluate/flags.js';
import { lower } from '../../../src/execute/evaluate/lower.js';
import type { Effect, FlagName } from '../../../src/expression/nodes.js';
import { GuestFault } from '../../../src/interrupt/exceptions.js';
import { slotOf } from '../../../src/register/register-file.js';
import { RFLAGS } from '../../../src/register/rflags.js';
import { TLB_OFFSET } from '../../../src/state/workbench.js';
import { type OracleMachine, perform } from '../../expression/oracle.js';
import { SparseMemory } from './sparse-memory.js';

const FLAG_NAMES: readonly FlagName[] = ['CF', 'PF', 'AF', 'ZF', 'SF', 'OF', 'DF'];
/** IF and the fixed bit: what must never change. */
const OTHER_FLAGS = 0x202n;

export interface Start {
  readonly registers: readonly bigint[];
  readonly flags: bigint;
  readonly segmentBases: OracleMachine['segmentBases'];
  readonly mode64: boolean;
  readonly linearBits: 48 | 57;
  readonly next: bigint;
  readonly faults?: SparseMemory['faults'];
}

/** What an instruction left, in a form that tests compare and print. */
export interface Seen {
  readonly registers: readonly string[];
  readonly rip: string;
  readonly rflags: string;
  readonly memory: Readonly<Record<string, number>>;
  readonly log: readonly string[];
  readonly fault?: unknown;
}

/** Hot memory with its own linear memory. */
export class Processor {
  readonly words = new Int32Array(TLB_OFFSET / 4);
  readonly memory = new SparseMemory();
  readonly #start: Start;

  constructor(start: Start) {
    this.#start = start;
    for (const [index, value] of start.registers.entries()) this.set(index, value);
    this.set(slotOf('RFLAGS'), (start.flags & statusMask()) | OTHER_FLAGS);
    this.set(slotOf('FS.base'), start.segmentBases.FS);
    this.set(slotOf('GS.base'), start.segmentBases.GS);
    if (start.faults !== undefined) this.memory.faults = start.faults;
  }

  get(slot: number): bigint {
    return (BigInt((this.words[slot * 2 + 1] ?? 0) >>> 0) << 32n) | BigInt((this.words[slot * 2] ?? 0) >>> 0);
  }

  set(slot: number, value: bigint): void {
    this.words[slot * 2] = Number(BigInt.asIntN(32, value));
    this.words[slot * 2 + 1] = Number(BigInt.asIntN(32, value >> 32n));
  }

  /** Performs an effect; the exception that it raised, if it did. */
  run(effect: Effect): unknown {
    const { mode64, linearBits, next } = this.#start;
    const [nextLow, nextHigh] = [Number(BigInt.asIntN(32, next)), Number(BigInt.asIntN(32, next >> 32n))];
    return caught(lower(effect, { words: this.words, memory: this.memory, mode64, linearBits, nextLow, nextHigh }));
  }

  /** Flags are settled by looking. */
  seen(fault?: unknown): Seen {
    settleFlags(this.words);
    const registers = Array.from({ length: 16 }, (_, index) => this.get(index));
    return seen(registers, this.get(slotOf('RIP')), this.get(slotOf('RFLAGS')), this.memory, fault);
  }
}

/** The oracle's machine for the same start. */
export class OracleProcessor {
  readonly memory = new SparseMemory();
  readonly machine: OracleMachine;

  constructor(start: Start) {
    if (start.faults !== undefined) this.memory.faults = start.faults;
    const flags = Object.fromEntries(FLAG_NAMES.map((name) => [name, (start.flags >> BigInt(RFLAGS.bits[name])) & 1n]));
    const registers = Array.from({ length: 16 }, (_, index) => start.registers[index] ?? 0n);
    this.machine = { ...start, registers, rip: 0n, flags: flags as OracleMachine['flags'], memory: this.memory };
  }

  run(effect: Effect): unknown {
    return caught(() => perform(effect, this.machine));
  }

  seen(fault?: unknown): Seen {
    const { registers, rip, flags } = this.machine;
    const status = FLAG_NAMES.reduce((all, name) => all | (flags[name] << BigInt(RFLAGS.bits[name])), OTHER_FLAGS);
    return seen(registers, rip, status, this.memory, fault);
  }
}

function statusMask(): bigint {
  return FLAG_NAMES.reduce((all, name) => all | (1n << BigInt(RFLAGS.bits[name])), 0n);
}

function caught(act: () => void): unknown {
  try {
    act();
    return undefined;
  } catch (thrown) {
    if (thrown instanceof GuestFault) return thrown.raised;
    throw thrown;
  }
}

function seen(registers: readonly bigint[], rip: bigint, rflags: bigint, memory: SparseMemory, fault: unknown): Seen {
  const hex = (value: bigint): string => value.toString(16).padStart(16, '0');
  const bytes = [...memory.bytes].map(([address, byte]) => [hex(address), byte] as const).sort();
  return {
    registers: registers.map(hex),
    rip: hex(rip),
    rflags: hex(rflags),
    memory: Object.fromEntries(bytes),
    log: [...memory.log],
    ...(fault === undefined ? {} : { fault }),
  };
}
