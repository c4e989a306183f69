// A random program on both paths, and on both in turn: from the same state they come to the same one, with the same steps
// and the same last outcome. States are compared as they lie in the drafts, and by their digests.
import { formatDigest, type MachineState, NotModelled, type Outcome, stateDigest } from '@retrovisor/core';
import { runSteps } from '../../packages/core/src/event/apply.js';
import { createMachine } from '../../packages/core/src/machine/machine.js';
import { defineMachine, type MachineDefinition } from '../../packages/core/src/plugin/host.js';
import type { MachineDraft } from '../../packages/core/src/state/draft.js';
import { DraftHost } from '../../packages/core/src/state/draft-host.js';
import { Random } from '../fuzz/random.js';
import { doubleword } from './instructions.js';
import * as layout from './layout.js';
import { type Encoded, encode, type Program } from './program.js';

/** How a run ended. */
interface End {
  readonly steps: number;
  readonly outcome: Outcome | undefined;
  /** What is not modelled, if that was met. */
  readonly gap: string | undefined;
}

/** A path, which is a machine with a threshold. */
class Path {
  readonly #host: DraftHost;

  constructor(definition: MachineDefinition, base: MachineState) {
    this.#host = new DraftHost(definition, base);
  }

  get draft(): MachineDraft {
    return this.#host.draft();
  }

  get state(): MachineState {
    return this.#host.state();
  }

  /** Goes on from a state, with what a program needs written over it. */
  load(state: MachineState, program?: Encoded): void {
    this.#host.load(state);
    if (program === undefined) return;
    const { draft } = this;
    for (const { address, bytes } of program.pieces) draft.memory.writeBytes(address, bytes);
    const cpu = draft.activate(0);
    for (const [name, value] of program.registers) cpu.set(name, value);
  }

  /** Up to so many steps. Where something is not modelled, `again` brings back the state before them. */
  run(most: number, again: () => void): End {
    const { position } = this.draft;
    try {
      const steps = runSteps(this.draft, 0, most);
      return { steps, outcome: steps > 0 ? this.draft.runner.lastOutcome : undefined, gap: undefined };
    } catch (thrown) {
      if (!(thrown instanceof NotModelled)) throw thrown;
      const steps = this.draft.position - position;
      again();
      const repeated = steps === 0 ? 0 : runSteps(this.draft, 0, steps);
      return { steps: repeated, outcome: undefined, gap: thrown.message };
    }
  }
}

/** The machines of one mode. */
interface Machines {
  readonly base: MachineState;
  readonly reference: Path;
  readonly compiled: readonly Path[];
}

/** Blocks that are compiled at once are small; those that were executed before are joined to loops. */
const THRESHOLDS = [0, 3] as const;
const MOST_LENGTH_OF_PIECE = 60;
/** Programs between two comparisons by digest. */
const DIGESTS = 64;

/** What programs made, over all of them. */
export interface Tally {
  programs: number;
  steps: number;
  compiledSteps: number;
  /** Programs of which generated code made more than half of the steps. */
  mostlyCompiled: number;
  gaps: number;
}

/** Programs are run one after the other on the same machines. */
export class BothPaths {
  readonly tally: Tally = { programs: 0, steps: 0, compiledSteps: 0, mostlyCompiled: 0, gaps: 0 };
  #machines = new Map<boolean, Machines>();

  #machinesOf(mode64: boolean): Machines {
    const known = this.#machines.get(mode64);
    if (known !== undefined) return known;
    const base = baseState(mode64);
    const path = (compile: number | false): Path => new Path(defineMachine({ ...OPTIONS, compile }), base);
    const machines = { base, reference: path(false), compiled: THRESHOLDS.map(path) };
    this.#machines.set(mode64, machines);
    return machines;
  }

  /** @throws Error that says where the paths differ */
  check(program: Program): void {
    try {
      this.#check(program);
    } catch (thrown) {
      this.#machines = new Map(); // what one program left must not fail the next
      throw thrown;
    }
  }

  #check(program: Program): void {
    const { base, reference, compiled } = this.#machinesOf(program.mode64);
    const encoded = encode(program);
    const random = new Random(~program.seed);
    const path = random.pick(compiled);
    const load = (each: Path): (() => void) => {
      const start = (): void => each.load(base, encoded);
      start();
      return start;
    };
    const expected = reference.run(encoded.steps, load(reference));
    const before = path.draft.runner.compiledSteps;
    const found = path.run(encoded.steps, load(path));
    const made = path.draft.runner.compiledSteps - before;
    this.#count(expected, made);
    compareEnds(expected, found, 'compiled');
    compareDrafts(reference.draft, path.draft, 'compiled');
    if (this.tally.programs % DIGESTS === 0) compareDigests(reference.state, path.state);
    if (expected.gap !== undefined) return;
    const words = wordsOf(reference.draft).slice();
    const memory = memoryOf(reference.draft).map((bytes) => bytes.slice());
    const last = alternate(random, { reference, compiled: path, load: () => load(path)() }, expected);
    compareWords(words, wordsOf(last.draft), 'in turn');
    compareMemory(memory, memoryOf(last.draft), 'in turn');
  }

  #count({ steps, gap }: End, made: number): void {
    const { tally } = this;
    tally.programs++;
    tally.steps += steps;
    tally.compiledSteps += made;
    if (made > steps / 2) tally.mostlyCompiled++;
    if (gap !== undefined) tally.gaps++;
  }
}

/** The same steps in pieces of random length, now and then with the state handed over to the other path. */
function alternate(
  random: Random,
  { reference, compiled, load }: { readonly reference: Path; readonly compiled: Path; readonly load: () => void },
  { steps, outcome }: End,
): Path {
  load();
  let [path, other] = [compiled, reference];
  let end: End = { steps: 0, outcome: undefined, gap: undefined };
  for (let left = steps; left > 0; left -= end.steps) {
    if (random.oneIn(8)) {
      other.load(path.state);
      [path, other] = [other, path];
    }
    const piece = Math.min(left, 1 + random.below(MOST_LENGTH_OF_PIECE));
    end = path.run(piece, () => undefined);
    if (end.steps !== piece && end.steps !== left)
      throw new Error(`in turn: ${end.steps} of ${piece} steps, ${end.gap ?? 'no gap'}, with ${left} left`);
  }
  compareEnds({ steps, outcome, gap: undefined }, { ...end, steps }, 'in turn');
  return path;
}

function compareEnds(expected: End, found: End, what: string): void {
  const [one, other] = [textOf(expected), textOf(found)];
  if (one !== other) throw new Error(`${what}: the reference path ends with ${one}, not ${other}`);
}

const textOf = ({ steps, outcome, gap }: End): string =>
  `${steps} steps, ${gap ?? JSON.stringify(outcome, (_key, value) => (typeof value === 'bigint' ? `${value}` : value))}`;

function compareDrafts(reference: MachineDraft, compiled: MachineDraft, what: string): void {
  compareWords(wordsOf(reference), wordsOf(compiled), what);
  compareMemory(memoryOf(reference), memoryOf(compiled), what);
}

function wordsOf(draft: MachineDraft): Int32Array {
  const cpu = draft.cpu(0);
  draft.settleFlags(cpu);
  return cpu.words;
}

function compareWords(expected: Int32Array, found: Int32Array, what: string): void {
  const differences: string[] = [];
  for (let word = 0; word < expected.length; word++) {
    if (expected[word] === found[word]) continue;
    const name = NAMES[word >> 1] ?? `slot ${word >> 1}`;
    const [one, other] = [expected, found].map((words) => ((words[word] as number) >>> 0).toString(16));
    differences.push(`${name}${word & 1 ? ' high' : ''}: ${one} on the reference path, not ${other}`);
  }
  if (differences.length > 0) throw new Error(`${what}: ${differences.join('; ')}`);
}

const REGIONS_OF_MEMORY = [
  { address: layout.WRITTEN.start, bytes: layout.WRITTEN.bytes },
  { address: layout.STACK - 0x800, bytes: 0x1000 },
  { address: layout.PAGE_TABLE, bytes: 0x80 },
  { address: layout.FAULT_COUNT, bytes: 8 },
] as const;

function memoryOf(draft: MachineDraft): readonly Uint8Array[] {
  return REGIONS_OF_MEMORY.map(({ address, bytes }) => draft.memory.readBytes(address, bytes));
}

function compareMemory(expected: readonly Uint8Array[], found: readonly Uint8Array[], what: string): void {
  for (const [index, { address }] of REGIONS_OF_MEMORY.entries()) {
    const [one, other] = [expected[index], found[index]] as [Uint8Array, Uint8Array];
    if (Buffer.compare(one, other) === 0) continue;
    const at = one.findIndex((byte, offset) => byte !== other[offset]);
    throw new Error(`${what}: memory differs at ${(address + at).toString(16)}: ${one[at]}, not ${other[at]}`);
  }
}

function compareDigests(reference: MachineState, compiled: MachineState): void {
  const [one, other] = [reference, compiled].map((state) => formatDigest(stateDigest(state)));
  if (one !== other) throw new Error('equal registers and pages, but other digests');
}

const OPTIONS = { profile: 'intel-server', memory: layout.MEMORY_BYTES } as const;
const NAMES: readonly string[] = defineMachine(OPTIONS).registers.rows.map(({ name }) => name);

/** Interrupts 0 to 31 lead to the handler, which goes on at one of sixteen places. */
function baseState(mode64: boolean): MachineState {
  const boot = { mode: mode64 ? 'long' : 'protected', segments: [], entry: layout.CODE } as const;
  const machine = createMachine({ ...OPTIONS, boot });
  const write = (address: number, ...values: readonly number[]): void => {
    machine.writeMemory(address, Uint8Array.from(values.flatMap(doubleword)));
  };
  const directory = mode64 ? 0x3000 : 0x1000;
  // The second entry of 4 MiB or the third of 2 MiB: 400000H.
  write(directory + (mode64 ? 16 : 4), layout.PAGE_TABLE | 7);
  if (!mode64) write(directory, 0x87);
  for (const [page, entry] of layout.MAPPINGS.entries())
    write(layout.PAGE_TABLE + page * layout.entryBytes(mode64), entry);
  for (let vector = 0; vector < 32; vector++) {
    const gate = [((mode64 ? 0x08 : 0x18) << 16) | (layout.HANDLER & 0xffff), 0x8e00, ...(mode64 ? [0, 0] : [])];
    write(layout.IDT + vector * gate.length * 4, ...gate);
  }
  machine.writeMemory(layout.HANDLER, Uint8Array.from(HANDLER_CODE));
  const cpu = machine.processor(0);
  const registers = {
    'IDTR.base': layout.IDT,
    'IDTR.limit': 0xfff,
    ...(mode64 ? {} : { CR3: directory, CR4: 0x10, CR0: 0x8000_0011 }),
  };
  for (const [name, value] of Object.entries(registers)) cpu.set(name, BigInt(value));
  cpu.set('CR4', cpu.read('CR4') | 0x600n); // OSFXSR and OSXMMEXCPT
  cpu.set('CR0', cpu.read('CR0') | 0x1_0000n); // WP
  const { state } = machine;
  machine.close();
  return state;
}

/** MOV ESP, stack; INC DWORD [count]; MOV EAX, [count]; AND EAX, 15; JMP [table + RAX * 8]. The encodings fit both modes. */
const HANDLER_CODE: readonly number[] = [
  ...[0xbc, ...doubleword(layout.STACK)],
  ...[0xff, 0x04, 0x25, ...doubleword(layout.FAULT_COUNT)],
  ...[0x8b, 0x04, 0x25, ...doubleword(layout.FAULT_COUNT)],
  ...[0x83, 0xe0, 15],
  ...[0xff, 0x24, 0xc5, ...doubleword(layout.RESUME_TABLE)],
];
