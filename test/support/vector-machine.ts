// A machine as the instruction vectors were recorded on: user level in 64-bit mode, three pages of data and three of code
// mapped, and two addresses where the recording kernel had pages of its own. Exceptions are seen and not delivered.
import {
  createMachine,
  definePlugin,
  GENERAL_REGISTERS,
  type ImageSegment,
  type Machine,
  type Outcome,
} from '@retrovisor/core';
import { bytesOf, numberOf, type Vector } from './vector-file.js';

const DATA = 0x1000_0000n;
const READ_ONLY = DATA + 0x2000n;
const CODE = 0x2000_0000n;
const START = CODE + 0x800n;
const PAGE = 0x1000n;
/** Pages that a user may not touch but that are present: an access is #PF with the protection bit. */
const SUPERVISOR_PAGES = [0x7fff_ffff_f000n, 0xffff_8000_0fff_0000n, 0xffff_8000_1fff_0000n];

/** Where the pages lie in physical memory. */
const PHYSICAL = { data: 0x1_0000, code: 0x2_0000, other: 0x3_0000, tables: 0x10_0000 } as const;
const WINDOW_BYTES = 0x3000;

const [PRESENT, WRITABLE, USER, EXECUTE_DISABLE] = [1n, 2n, 4n, 1n << 63n];

interface Mapping {
  readonly linear: bigint;
  readonly physical: number;
  readonly rights: bigint;
}

const MAPPINGS: readonly Mapping[] = [
  ...[0n, 1n, 2n].map((page) => ({
    linear: DATA + page * PAGE,
    physical: PHYSICAL.data + Number(page * PAGE),
    rights: USER | EXECUTE_DISABLE | (DATA + page * PAGE === READ_ONLY ? 0n : WRITABLE),
  })),
  ...[0n, 1n, 2n].map((page) => ({
    linear: CODE + page * PAGE,
    physical: PHYSICAL.code + Number(page * PAGE),
    rights: USER,
  })),
  ...SUPERVISOR_PAGES.map((linear) => ({ linear, physical: PHYSICAL.other, rights: WRITABLE })),
];

/** Four levels of tables for the mappings, as one piece of memory. */
function pageTables(): ImageSegment {
  const tables = new Map<string, number>([['', PHYSICAL.tables]]);
  const entries = new Map<number, bigint>();
  for (const { linear, physical, rights } of MAPPINGS) {
    const indexes = [39n, 30n, 21n, 12n].map((shift) => Number((linear >> shift) & 0x1ffn));
    for (const [level, index] of indexes.entries()) {
      const table = tables.get(indexes.slice(0, level).join('.')) ?? 0;
      const path = indexes.slice(0, level + 1).join('.');
      if (level < 3 && !tables.has(path)) tables.set(path, PHYSICAL.tables + tables.size * 0x1000);
      const target = level === 3 ? BigInt(physical) | rights : BigInt(tables.get(path) ?? 0) | WRITABLE | USER;
      entries.set(table + index * 8, target | PRESENT);
    }
  }
  const bytes = new Uint8Array(tables.size * 0x1000);
  const view = new DataView(bytes.buffer);
  for (const [address, entry] of entries) view.setBigUint64(address - PHYSICAL.tables, entry, true);
  return { address: PHYSICAL.tables, bytes };
}

/** Takes every exception before it is delivered, so that the state is that of the instruction. */
const seeExceptions = definePlugin({
  name: 'vectors',
  version: '1.0.0',
  apiVersion: 1,
  intercepts: { exception: (_cpu, raised) => ({ ...raised, kind: 'vectors/raised' }) },
});

function makeMachine(): Machine {
  const machine = createMachine({
    profile: 'amd-server',
    memory: 4 * 2 ** 20,
    plugins: [seeExceptions],
    boot: { mode: 'long', segments: [pageTables()], entry: 0 },
  });
  const cpu = machine.processor(0);
  const user = {
    'CS.selector': 0x33n,
    'CS.attributes': 0xa0fbn,
    'SS.selector': 0x2bn,
    'SS.attributes': 0xc0f3n,
  } as const;
  for (const [register, value] of Object.entries(user)) cpu.set(register, value);
  cpu.set('CR4', cpu.read('CR4') | 0x800n); // UMIP
  cpu.set('TR.limit', 0n); // a TSS too short for an I/O permission bit map
  cpu.set('GS.base', DATA + 0x400n);
  cpu.set('CR3', BigInt(PHYSICAL.tables));
  return machine as unknown as Machine;
}

const FRESH_WINDOW = Uint8Array.from({ length: WINDOW_BYTES }, (_, offset) => offset * 7 + (offset >> 4) * 13 + 0x3b);
const FRESH_CODE = new Uint8Array(256).fill(0xcc);
const freshRegister = (index: number): bigint => 0xc0de_0000_0000_0000n + BigInt(index) * 0x1111_0000_1111n;
/** Vectors one machine executes before it is replaced: its log remembers every one of them. */
const VECTORS_PER_MACHINE = 500;

/** What a vector should have left and did not; empty if it passed. */
export type Differences = readonly string[];

/** Executes vectors one after the other. */
export class VectorRunner {
  #machine = makeMachine();
  #executed = 0;

  /** @throws NotModelled for an instruction that is not declared */
  run(vector: Vector): Differences {
    if (++this.#executed % VECTORS_PER_MACHINE === 0) this.#machine = makeMachine();
    const window = this.#load(vector);
    const outcome = this.#execute(vector);
    return [
      ...this.#compareRegisters(vector),
      ...compareException(vector, outcome),
      ...this.#compareMemory(vector, window),
    ];
  }

  /** Sets the state and returns the data window as it is before the instruction. */
  #load({ code, in: before }: Vector): Uint8Array {
    const given = new Map(
      Object.entries(before.regs ?? {}).map(([name, value]) => [name.toUpperCase(), numberOf(value)]),
    );
    for (const [index, name] of GENERAL_REGISTERS.entries()) this.#set(name, given.get(name) ?? freshRegister(index));
    this.#set('RFLAGS', numberOf(before.flags));
    this.#set('RIP', START);
    const window = withRuns(FRESH_WINDOW, before.mem ?? []);
    this.#write(PHYSICAL.data, window);
    const length = code.length / 2;
    if (length > FRESH_CODE.length / 2)
      this.#machine.writeMemory(PHYSICAL.code, new Uint8Array(WINDOW_BYTES).fill(0xcc));
    else this.#machine.writeMemory(PHYSICAL.code + 0x800, FRESH_CODE);
    this.#machine.writeMemory(PHYSICAL.code + 0x800, bytesOf(code));
    return window;
  }

  /** Most of the state is as the last vector left it: what need not change makes no event. */
  #set(register: string, value: bigint): void {
    const cpu = this.#machine.processor(0);
    if (cpu.read(register) !== value) cpu.set(register, value);
  }

  #write(address: number, bytes: Uint8Array): void {
    const before = this.#machine.readMemory(address, bytes.length);
    if (Buffer.compare(bytes, before) !== 0) this.#machine.writeMemory(address, bytes);
  }

  /** A program runs to the end of its code, a repeated instruction until it is done: each iteration is a step. */
  #execute({ code, out, exc, retired }: Vector): Outcome {
    const machine = this.#machine;
    const end = retired === undefined ? undefined : START + BigInt(code.length / 2);
    const goesOn = (rip: bigint): boolean =>
      end !== undefined ? rip !== end : rip === START && (exc !== undefined || numberOf(out.rip) !== START);
    let outcome = machine.step(0, 1);
    while (outcome.kind === 'completed' && goesOn(machine.readRegister(0, 'RIP'))) outcome = machine.step(0, 1);
    return outcome;
  }

  #compareRegisters({ in: before, out: after, undef = '0', undefRegs = [] }: Vector): Differences {
    const cpu = this.#machine.processor(0);
    const wanted = { ...before.regs, ...after.regs };
    const registers = GENERAL_REGISTERS.flatMap((name, index) => {
      const key = name.toLowerCase();
      const value = key in wanted ? numberOf(wanted[key] ?? '0') : freshRegister(index);
      return undefRegs.includes(key) ? [] : difference(name, cpu.read(name), value);
    });
    const flags = ~numberOf(undef);
    return [
      ...registers,
      ...difference('RIP', cpu.read('RIP'), numberOf(after.rip)),
      ...difference('RFLAGS', cpu.read('RFLAGS') & flags, numberOf(after.flags) & flags),
    ];
  }

  #compareMemory({ out: after }: Vector, before: Uint8Array): Differences {
    const wanted = withRuns(before, after.mem ?? []);
    const found = this.#machine.readMemory(PHYSICAL.data, WINDOW_BYTES);
    if (Buffer.compare(found, wanted) === 0) return [];
    const offset = found.findIndex((byte, index) => byte !== wanted[index]);
    return difference(
      `[${(Number(DATA) + offset).toString(16)}]`,
      BigInt(found[offset] ?? 0),
      BigInt(wanted[offset] ?? 0),
    );
  }
}

/** The data window with runs of bytes written over it; what lies outside of it is not there. */
function withRuns(window: Uint8Array, runs: NonNullable<Vector['in']['mem']>): Uint8Array {
  const bytes = window.slice();
  for (const [address, run] of runs) {
    const offset = Number(numberOf(address) - DATA);
    for (const [index, byte] of bytesOf(run).entries()) if (offset + index in bytes) bytes[offset + index] = byte;
  }
  return bytes;
}

function difference(place: string, found: bigint, wanted: bigint): Differences {
  return found === wanted ? [] : [`${place} is ${found.toString(16)}, not ${wanted.toString(16)}`];
}

const VECTORS: Readonly<Record<number, string>> = { 0: '#DE', 3: '#BP', 6: '#UD', 12: '#SS', 13: '#GP', 14: '#PF' };

function compareException({ exc }: Vector, outcome: Outcome): Differences {
  const { vector, errorCode = 0, address = 0n } = outcome as { vector?: string; errorCode?: number; address?: bigint };
  const found = vector === undefined ? 'none' : `${vector}(${errorCode}) at ${address.toString(16)}`;
  if (exc === undefined) return found === 'none' ? [] : [`exception ${found}, not none`];
  const [number, code, linear = '0'] = exc;
  const wanted = `${VECTORS[number]}(${code}) at ${linear}`;
  return found === wanted ? [] : [`exception ${found}, not ${wanted}`];
}
