// A processor on which recorded x87 vectors are executed: one instruction each, at CPL 0 in 64-bit mode, with RDI at the
// memory operand. The state is compared as FNSAVE shows it: FCW, FSW, which registers are empty, and what the others hold.
import type { Machine } from '../../src/machine/machine.js';
import { CODE, hex, machineWith } from '../support/booted-machine.js';

/** Registers by their distance from the top that FSW names; null is empty, and so are those that are not listed. */
export type Vector = readonly [
  code: string,
  fcw: string,
  fsw: string,
  stack: readonly (string | null)[],
  memory: string,
  flags: string,
  out: {
    readonly fcw?: string;
    readonly fsw?: string;
    /** Registers that changed, by their distance from the top before. */
    readonly st?: Readonly<Record<string, string | null>>;
    readonly mem?: string;
    readonly flags?: string;
    /** If it changed. */
    readonly rax?: string;
  },
];

const DATA = 0x20_0000;
const MEMORY_BYTES = 16;
const FILL = 0xa5;
const INDEXES = [0, 1, 2, 3, 4, 5, 6, 7];
/** RAX before each vector. */
const RAX = '8877665544332211';
const STATUS_FLAGS = 0x8d5n;
const VECTORS_PER_MACHINE = 300;
const number = (digits: string): bigint => BigInt(`0x${digits}`);

function memoryBefore(bytes: string): Uint8Array {
  const memory = new Uint8Array(MEMORY_BYTES).fill(FILL);
  memory.set(hex(bytes));
  return memory;
}

/** What is compared, as text. */
type Image = Readonly<Record<string, string>>;

export class VectorProcessor {
  #machine = this.#make();
  #executed = 0;

  #make(): Machine {
    const machine = machineWith([], { profile: 'amd-server' });
    machine.processor(0).set('RDI', BigInt(DATA));
    machine.processor(0).set('CR0', machine.processor(0).read('CR0') | 0x20n); // NE
    return machine;
  }

  /** What differs from the recording; empty if nothing does. */
  run(vector: Vector): readonly string[] {
    if (++this.#executed % VECTORS_PER_MACHINE === 0) this.#machine = this.#make();
    this.#load(vector);
    const outcome = this.#machine.step(0, 1);
    if (outcome.kind !== 'completed') return [`the outcome is ${JSON.stringify(outcome)}`];
    const [found, wanted] = [this.#found(vector), expected(vector)];
    return Object.entries(wanted).flatMap(([place, value]) =>
      found[place] === value ? [] : [`${place} is ${found[place]}, not ${value}`],
    );
  }

  #load([code, fcw, fsw, stack, memory, flags]: Vector): void {
    const top = Number(number(fsw) >> 11n) & 7;
    const cpu = this.#machine.processor(0);
    const set = (register: string, value: bigint) => {
      if (cpu.read(register) !== value) cpu.set(register, value);
    };
    set('FCW', number(fcw));
    set('FSW', number(fsw));
    set(
      'FTW',
      INDEXES.reduce((tags, index) => tags | (stack[index] ? 1n << BigInt((top + index) & 7) : 0n), 0n),
    );
    for (const index of INDEXES) set(`R${(top + index) & 7}`, number(stack[index] ?? '0'));
    set('RAX', number(RAX));
    set('RFLAGS', number(flags) | 2n);
    set('RIP', BigInt(CODE));
    this.#machine.writeMemory(DATA, memoryBefore(memory));
    this.#machine.writeMemory(CODE, Uint8Array.from(hex(code)));
  }

  #found([, , fsw]: Vector): Image {
    const cpu = this.#machine.processor(0);
    const top = Number(number(fsw) >> 11n) & 7;
    const full = Number(cpu.read('FTW'));
    const registers = INDEXES.map((index): [string, string] => {
      const register = (top + index) & 7;
      const empty = ((full >> register) & 1) === 0;
      return [`ST(${index})`, empty ? 'empty' : cpu.read(`R${register}`).toString(16).padStart(20, '0')];
    });
    return {
      FCW: cpu.read('FCW').toString(16),
      FSW: cpu.read('FSW').toString(16),
      RAX: cpu.read('RAX').toString(16).padStart(16, '0'),
      memory: Buffer.from(this.#machine.readMemory(DATA, MEMORY_BYTES)).toString('hex'),
      flags: (cpu.read('RFLAGS') & STATUS_FLAGS).toString(16),
      ...Object.fromEntries(registers),
    };
  }
}

function expected([, fcw, fsw, stack, memory, flags, out]: Vector): Image {
  const after = memoryBefore(out.mem ?? memory);
  const registers = INDEXES.map((index): [string, string] => {
    const changed = out.st?.[index];
    return [`ST(${index})`, (changed === undefined ? stack[index] : changed) ?? 'empty'];
  });
  return {
    FCW: number(out.fcw ?? fcw).toString(16),
    FSW: number(out.fsw ?? fsw).toString(16),
    RAX: out.rax ?? RAX,
    memory: Buffer.from(after).toString('hex'),
    flags: number(out.flags ?? flags).toString(16),
    ...Object.fromEntries(registers),
  };
}
