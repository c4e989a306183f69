// The guests of this folder: how each is described, what it is expected to do, and how this machine runs it. The machine is
// the one that `retrovisor run` makes from the same words, so that a guest can be run by hand with the options in its
// description.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createMachine, GENERAL_REGISTERS, type Machine } from '@retrovisor/core';
import { parseArguments } from '../../packages/cli/src/arguments.js';
import { openGuest } from '../../packages/cli/src/guest/guest.js';

const FOLDER = dirname(fileURLToPath(import.meta.url));

/** `guest.json`: written by hand. */
interface GuestDescription {
  /** What it shows, in a few words. */
  readonly title: string;
  /** The built file, beside the description. */
  readonly image: string;
  /** A line for a shell, run in the folder of the guest; it writes the file that `$OUT` names. */
  readonly build: string;
  /** What follows `retrovisor run IMAGE`, `$FOLDER` for the folder of the guest. */
  readonly options: readonly string[];
  /**
   * What QEMU gets besides its console and monitor, `$IMAGE` for the built file and `$FOLDER` for its folder; null for a
   * guest that QEMU cannot run.
   */
  readonly qemu: readonly string[] | null;
  /** Instructions after which it must have ended. */
  readonly maxInstructions: number;
  /** Final registers that are not compared, with the reason. */
  readonly notCompared?: Readonly<Record<string, string>>;
}

/** What a guest did: `expected.json` has it from QEMU, or from somewhere else that it names. */
export interface GuestResult {
  /** By the name of the device: text, cut into lines. A device that nothing was written to is absent. */
  readonly console: Readonly<Record<string, readonly string[]>>;
  /** The value at the debug exit; null if it wrote none. */
  readonly exit: number | null;
  /** Of each processor when all of them have halted. */
  readonly registers: readonly Readonly<Record<string, string>>[];
}

/** A guest that lies in this folder. */
export interface FoundGuest {
  readonly name: string;
  readonly folder: string;
  readonly description: GuestDescription;
  readonly image: string;
  /** Undefined before it was recorded. */
  readonly expected: (GuestResult & { readonly from: string }) | undefined;
}

/** All guests by name: every folder with a guest.json. */
export function findGuests(): readonly FoundGuest[] {
  const names = readdirSync(FOLDER).filter((name) => existsSync(join(FOLDER, name, 'guest.json')));
  return names.toSorted().map((name) => {
    const folder = join(FOLDER, name);
    const read = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), 'utf8'));
    const description = read('guest.json') as GuestDescription;
    const expected = existsSync(join(folder, 'expected.json')) ? read('expected.json') : undefined;
    return {
      name,
      folder,
      description,
      image: join(folder, description.image),
      expected: expected as FoundGuest['expected'],
    };
  });
}

/** How a guest is run. */
export interface GuestPaths {
  /** As for createMachine. */
  readonly compile?: number | false;
  /** Steps of a piece in which the guest is run, drawn anew for each. Default: as many as there are. */
  readonly piece?: () => number;
}

/** What a guest did, and how many of its steps generated code made. */
export interface GuestRun {
  readonly result: GuestResult;
  readonly steps: number;
  readonly compiledSteps: number;
}

/** Runs a guest on this machine until all processors wait. A guest that reports a value goes on to its last HLT. */
export async function runOnMachine(
  { image, folder, description }: FoundGuest,
  { compile, piece = () => Number.POSITIVE_INFINITY }: GuestPaths = {},
): Promise<GuestRun> {
  const call = parseArguments(
    ['run', image, ...description.options.map((word) => word.replaceAll('$FOLDER', folder))],
    '0.0.0',
  );
  if (call === undefined) throw new Error(`${image}: the options are none of retrovisor run`);
  const machine = remade((await openGuest(image, call.options)).machine, compile);
  const bytes = new Map<string, number[]>();
  machine.emissions$.subscribe((emission) => {
    if (emission.type !== 'console/byteWritten') return;
    const written = bytes.get(emission.device) ?? [];
    written.push(emission.byte);
    bytes.set(emission.device, written);
  });
  let [left, exit] = [description.maxInstructions, null as number | null];
  for (;;) {
    const { steps, stop } = machine.run({ maxSteps: Math.min(left, piece()) });
    left -= steps;
    if (stop.reason === 'exit') exit ??= stop.value;
    else if (stop.reason === 'waiting') break;
    else if (stop.reason !== 'budget' || left <= 0)
      throw new Error(`${image}: ${stop.reason} at position ${machine.position}, where all processors should wait`);
  }
  const console = Object.fromEntries([...bytes].map(([device, written]) => [device, linesOf(written)]));
  const result = { console, exit, registers: finalRegisters(machine, description) };
  return { result, steps: machine.position, compiledSteps: machine.compiledSteps };
}

/** The same machine with another threshold. */
function remade(machine: Machine, compile: GuestPaths['compile']): Machine {
  if (compile === undefined) return machine;
  const { profile, processors, memoryBytes: memory, quantum, plugins, boot } = machine.definition;
  machine.close();
  return createMachine({ profile, processors, memory, quantum, plugins, compile, ...(boot && { boot }) });
}

/** Bytes as text, cut at line feeds. */
export function linesOf(bytes: Iterable<number>): readonly string[] {
  return Buffer.from([...bytes])
    .toString('latin1')
    .split('\n');
}

const SEGMENTS = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'] as const;

/** What is compared at the end, as this machine names it. */
export const COMPARED_REGISTERS: readonly string[] = [
  ...GENERAL_REGISTERS,
  'RIP',
  'RFLAGS',
  ...SEGMENTS.map((name) => `${name}.selector`),
  'CR0',
  'CR2',
  'CR3',
  'CR4',
  'IA32_EFER',
];

function finalRegisters(machine: Machine, { notCompared = {} }: GuestDescription): GuestResult['registers'] {
  const names = COMPARED_REGISTERS.filter((name) => !(name in notCompared));
  return machine.state.processors.map(({ id }) =>
    Object.fromEntries(names.map((name) => [name, `0x${machine.readRegister(id, name).toString(16)}`])),
  );
}
