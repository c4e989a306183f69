// Executes instruction vectors and says what came out otherwise than on the recording processor.
import { NotModelled } from '../error.js';
import type { ExceptionName, Outcome } from '../event/outcome.js';
import { EXCEPTIONS } from '../interrupt/exceptions.js';
import type { Machine } from '../machine/machine.js';
import type { ProcessorProfile } from '../profile/profile.js';
import { GENERAL_REGISTERS, XMM_REGISTERS } from '../register/register-file.js';
import { bytesOf, type InstructionVector, type MemoryRun, numberOf, type VectorState } from './vector.js';
import { DATA, makeVectorMachine, PHYSICAL, START, WINDOW_BYTES } from './vector-machine.js';

/** A place where a vector should have left something else. */
export interface VectorDifference {
  /** `RAX`, `XMM3`, `RFLAGS`, `[10000010]` with a linear address, `exception`, `instruction`. */
  readonly place: string;
  /** Numbers of registers, bytes of memory, or words. Undefined flags are 0 in both. */
  readonly found: bigint | Uint8Array | string;
  readonly expected: bigint | Uint8Array | string;
}

/** How a machine for vectors is made. */
export interface VectorRunnerOptions {
  /** Default: `amd-server`, whose make the recording processor was of. */
  readonly profile?: string | ProcessorProfile;
  /** As for createMachine: 0 executes every vector in generated code, as far as it can be generated. Default false. */
  readonly compile?: number | false;
}

const FRESH_WINDOW = Uint8Array.from({ length: WINDOW_BYTES }, (_, offset) => offset * 7 + (offset >> 4) * 13 + 0x3b);
const CODE_OFFSET = 0x800;
/** No instruction of 64-bit mode: a block ends before it. */
const UNDEFINED_OPCODE = 0x06;
/** Longer code than any single instruction is cleared away with the whole window. */
const FRESH_CODE = new Uint8Array(64).fill(UNDEFINED_OPCODE);
const XMM_BYTES = 16;
const freshRegister = (index: number): bigint => 0xc0de_0000_0000_0000n + BigInt(index) * 0x1111_0000_1111n;
/** Vectors one machine executes before it is replaced: its log remembers every one of them. */
const VECTORS_PER_MACHINE = 500;
/** Iterations of repeated instructions count. None of the recorded programs needs a tenth of it. */
const MOST_STEPS = 1_000_000;
/** Where Linux's own half of the address space begins (TASK_SIZE_MAX): it never tells a program what is mapped there. */
const KERNEL_HALF = 0x7fff_ffff_f000n;
const PROTECTION = 1;

/**
 * Runs vectors, one after the other, on one machine.
 * @example const differences = new VectorRunner().run({ id: 'nop', code: '90', in: { flags: '202' }, out: { flags: '202', rip: '20000801' } });
 */
export class VectorRunner {
  readonly #profile: string | ProcessorProfile;
  readonly #compile: number | false;
  #machine: Machine;
  #executed = 0;
  /** Of the machines before this one. */
  #compiledBefore = 0;

  constructor({ profile = 'amd-server', compile = false }: VectorRunnerOptions = {}) {
    this.#profile = profile;
    this.#compile = compile;
    this.#machine = makeVectorMachine(profile, compile);
  }

  /** Steps that generated code made so far. */
  get compiledSteps(): number {
    return this.#compiledBefore + this.#machine.compiledSteps;
  }

  /** Executes a vector: nothing is returned if it passed. An instruction that is not modelled is a difference. */
  run(vector: InstructionVector): readonly VectorDifference[] {
    // Where code was written again and again, blocks are short (execute/block-cache.ts): a program deserves whole ones.
    const isProgram = vector.retired !== undefined;
    if (++this.#executed % VECTORS_PER_MACHINE === 0 || isProgram) this.#replaceMachine();
    const window = this.#load(vector);
    try {
      const outcome = this.#execute(vector);
      const goesOn = outcome.kind === 'completed' && this.#goesOn(vector);
      return [
        ...(goesOn ? [{ place: 'instruction', found: `not done after ${MOST_STEPS} steps`, expected: 'done' }] : []),
        ...compareException(vector, outcome),
        ...this.#compareRegisters(vector),
        ...this.#compareMemory(vector, window),
      ];
    } catch (thrown) {
      if (!(thrown instanceof NotModelled)) throw thrown;
      void this.#machine.state; // what the next gap goes back to need not be replayed from far away
      return [{ place: 'instruction', found: thrown.message, expected: 'executed' }];
    }
  }

  #replaceMachine(): void {
    this.#compiledBefore = this.compiledSteps;
    this.#machine.close();
    this.#machine = makeVectorMachine(this.#profile, this.#compile);
  }

  /** Sets the state and returns the data window as it is before the instruction. */
  #load({ code, in: before }: InstructionVector): Uint8Array {
    const given = listedRegisters(before);
    for (const [register, fresh] of FRESH_REGISTERS) this.#set(register, given.get(register) ?? fresh);
    this.#set('RFLAGS', numberOf(before.flags));
    this.#set('RIP', START);
    const window = withRuns(FRESH_WINDOW, before.mem ?? []);
    this.#write(PHYSICAL.data, window);
    const bytes = bytesOf(code);
    if (bytes.length > FRESH_CODE.length / 2)
      this.#machine.writeMemory(PHYSICAL.code, new Uint8Array(WINDOW_BYTES).fill(UNDEFINED_OPCODE));
    else this.#machine.writeMemory(PHYSICAL.code + CODE_OFFSET, FRESH_CODE);
    this.#machine.writeMemory(PHYSICAL.code + CODE_OFFSET, bytes);
    return window;
  }

  /** Most of the state is as the last vector left it: what need not change makes no event. */
  #set(register: string, value: bigint): void {
    const cpu = this.#machine.processor(0);
    if (cpu.read(register) !== value) cpu.set(register, value);
  }

  #write(address: number, bytes: Uint8Array): void {
    const before = this.#machine.readMemory(address, bytes.length);
    if (!sameBytes(bytes, before)) this.#machine.writeMemory(address, bytes);
  }

  /** A program runs to the end of its code, a repeated instruction until it is done: each iteration is a step. */
  #execute(vector: InstructionVector): Outcome {
    let outcome = this.#machine.step(0, vector.retired ?? 1);
    for (let steps = 1; outcome.kind === 'completed' && steps < MOST_STEPS && this.#goesOn(vector); steps++)
      outcome = this.#machine.step(0, 1);
    return outcome;
  }

  /** An instruction that is at its own address again is in the middle of a repetition, unless it belongs there. */
  #goesOn({ code, out, exc, retired }: InstructionVector): boolean {
    const rip = this.#machine.readRegister(0, 'RIP');
    return retired === undefined
      ? rip === START && (exc !== undefined || numberOf(out.rip) !== START)
      : rip !== START + BigInt(code.length / 2);
  }

  #compareRegisters({ in: before, out: after, undef = '0', undefRegs = [] }: InstructionVector) {
    const cpu = this.#machine.processor(0);
    const [given, left] = [listedRegisters(before), listedRegisters(after)];
    const flags = ~numberOf(undef);
    return [
      ...FRESH_REGISTERS.flatMap(([register, fresh]) => {
        const expected = left.get(register) ?? given.get(register) ?? fresh;
        const found = cpu.read(register);
        return found === expected || undefRegs.includes(register.toLowerCase())
          ? []
          : [{ place: register, found, expected }];
      }),
      ...difference('RIP', cpu.read('RIP'), numberOf(after.rip)),
      ...difference('RFLAGS', cpu.read('RFLAGS') & flags, numberOf(after.flags) & flags),
    ];
  }

  #compareMemory({ out: after }: InstructionVector, before: Uint8Array): readonly VectorDifference[] {
    const expected = withRuns(before, after.mem ?? []);
    const found = this.#machine.readMemory(PHYSICAL.data, WINDOW_BYTES);
    if (sameBytes(found, expected)) return [];
    const first = found.findIndex((byte, index) => byte !== expected[index]);
    const last = found.findLastIndex((byte, index) => byte !== expected[index]);
    return [
      {
        place: `[${(Number(DATA) + first).toString(16)}]`,
        found: found.slice(first, last + 1),
        expected: expected.slice(first, last + 1),
      },
    ];
  }
}

/** Every register that is compared, with its value before a vector that does not list it. */
const FRESH_REGISTERS: readonly (readonly [name: string, value: bigint])[] = [
  ...GENERAL_REGISTERS.map((name, index) => [name, freshRegister(index)] as const),
  ...XMM_REGISTERS.map((name, index) => [name, freshXmm(index)] as const),
  ['MXCSR', 0x1f80n],
];

/** The registers that a state lists. */
function listedRegisters({ regs = {}, xmm = {}, mxcsr }: VectorState): ReadonlyMap<string, bigint> {
  const listed = new Map<string, bigint>();
  for (const name in regs) listed.set(name.toUpperCase(), numberOf(regs[name] ?? '0'));
  for (const number in xmm) listed.set(`XMM${number}`, littleEndian(bytesOf(xmm[number] ?? '')));
  if (mxcsr !== undefined) listed.set('MXCSR', numberOf(mxcsr));
  return listed;
}

/** Register n holds the bytes 16n to 16n+15, the lowest first. */
function freshXmm(index: number): bigint {
  return littleEndian(Uint8Array.from({ length: XMM_BYTES }, (_, byte) => index * XMM_BYTES + byte));
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** The data window with runs of bytes written over it; what lies outside of it is not there. */
function withRuns(window: Uint8Array, runs: readonly MemoryRun[]): Uint8Array {
  const bytes = window.slice();
  for (const [address, run] of runs) {
    const offset = Number(numberOf(address) - DATA);
    for (const [index, byte] of bytesOf(run).entries()) if (offset + index in bytes) bytes[offset + index] = byte;
  }
  return bytes;
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  for (let index = 0; index < one.length; index++) if (one[index] !== other[index]) return false;
  return one.length === other.length;
}

function difference(place: string, found: bigint, expected: bigint): readonly VectorDifference[] {
  return found === expected ? [] : [{ place, found, expected }];
}

const NAMES = new Map(Object.entries(EXCEPTIONS).map(([name, { vector }]) => [vector, name as ExceptionName]));

function compareException({ exc }: InstructionVector, outcome: Outcome): readonly VectorDifference[] {
  const found = exceptionText(outcome);
  const expected = exc === undefined ? 'none' : recordedException(exc);
  return found === expected ? [] : [{ place: 'exception', found, expected }];
}

function recordedException([vector, errorCode, address]: NonNullable<InstructionVector['exc']>): string {
  const name = NAMES.get(vector) ?? `vector ${vector}`;
  return textOf(name, errorCode, address === undefined ? undefined : numberOf(address));
}

/** The exception as a program saw it: Linux reports every access to its own half as one to a page that is present. */
function exceptionText(outcome: Outcome): string {
  if (outcome.kind === 'completed') return 'none';
  const raised = outcome as { vector?: string; errorCode?: number; address?: bigint };
  if (raised.vector === undefined) return outcome.kind;
  const { vector, errorCode = 0, address } = raised;
  const isHidden = address !== undefined && address >= KERNEL_HALF;
  return textOf(vector, isHidden ? errorCode | PROTECTION : errorCode, address);
}

function textOf(vector: string, errorCode: number, address: bigint | undefined): string {
  return `${vector}(${errorCode})${address === undefined ? '' : ` at ${address.toString(16)}`}`;
}
