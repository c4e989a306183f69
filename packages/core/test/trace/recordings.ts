// Machines and recordings that the tests of this folder share: a plugin with slices, an event and a configuration, a
// program that writes memory, and random things to do to them.
import fc from 'fast-check';
import { rawImage } from '../../src/boot/boot-image.js';
import { UsageError } from '../../src/error.js';
import { bytes, text, u8, u64 } from '../../src/event/codec.js';
import { defineEvent } from '../../src/event/define.js';
import type { MachineEvent } from '../../src/event/event.js';
import { createMachine, type Machine } from '../../src/machine/machine.js';
import { definePlugin, type Plugin } from '../../src/plugin/define.js';
import { defineSlice } from '../../src/plugin/slice.js';
import { memorySink } from '../../src/trace/in-memory.js';
import { type RecordOptions, recordMachine } from '../../src/trace/record.js';

const MEMORY_BYTES = 16 * 2 ** 20;
const CODE = 0x10_0000;
/** Data of the program, above the structures of the boot image. */
const DATA = 0x20_0000;

const slice = defineSlice('tally', {
  version: 1,
  initial: () => ({ total: 0n, last: null as string | null, seen: [] as number[] }),
});
const processorSlice = defineSlice('tally', { version: 2, initial: () => ({ turns: 0 }) });

/** An outside input with a field of each kind. */
const counted = defineEvent('tally/counted', {
  payload: { by: u8, total: u64, note: text, data: bytes },
  apply(draft, { by, total, note }) {
    slice.change(draft, (tally) => {
      tally.total = total;
      tally.last = note;
      tally.seen.push(by);
    });
  },
});

/** A plugin as strangers write them. */
export function tally(configuration: unknown = { limit: 5n }, version = '1.2.3'): Plugin {
  return definePlugin({
    name: 'tally',
    version,
    apiVersion: 1,
    configuration,
    machineSlice: slice,
    processorSlice,
    events: [counted],
  }) as Plugin;
}

/** inc rax; mov [rbx], rax; add rbx, 8; jmp back */
const PROGRAM = [0x48, 0xff, 0xc0, 0x48, 0x89, 0x03, 0x48, 0x83, 0xc3, 0x08, 0xeb, 0xf4];

/** Two processors, the plugin, and the program at RIP of the first. */
export function tallyMachine(plugins: readonly Plugin[] = [tally()]): Machine {
  const boot = rawImage({ bytes: Uint8Array.from(PROGRAM), mode: 'long', load: CODE });
  const machine = createMachine<readonly Plugin[]>({
    profile: 'intel-server',
    processors: 2,
    memory: MEMORY_BYTES,
    plugins,
    boot,
  });
  machine.processor(0).set('RBX', BigInt(DATA));
  return machine;
}

/** Something that happens to a machine: an event, or steps of the first processor. */
export type Happening = MachineEvent | { readonly type: 'steps'; readonly steps: number };

const processor = fc.nat(1);
const value = fc.oneof(fc.constantFrom(0n, 1n, 2n ** 53n, 2n ** 64n - 1n), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
const wellFormed = fc.string({ unit: 'grapheme', maxLength: 20 });
const address = fc.integer({ min: DATA + 0x10_0000, max: MEMORY_BYTES - 64 });
const data = fc.uint8Array({ maxLength: 40 });

const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ type: fc.constant('steps' as const), steps: fc.integer({ min: 1, max: 3000 }) }),
  fc.record({
    type: fc.constant('processor/registerSet' as const),
    processor,
    register: fc.constantFrom('RAX', 'RCX', 'R15', 'IA32_PAT', 'FS.base'),
    value,
  }),
  fc.record({ type: fc.constant('memory/written' as const), address, bytes: data }),
  fc.record({
    type: fc.constant('processor/intrinsicExecuted' as const),
    processor,
    intrinsic: fc.constantFrom('rdmsr', 'wrmsr', 'cpuid'),
    operands: fc.constant([]),
  }),
  fc.record({ type: fc.constant('tally/counted' as const), by: fc.nat(255), total: value, note: wellFormed, data }),
);

/** Random happenings. */
export const happenings = fc.array(happening, { maxLength: 40 });

/** Lets one happen. What the machine refuses (too few operands, say) leaves no event. */
export function perform(machine: Machine, what: Happening): void {
  try {
    if (what.type === 'steps') machine.step(0, (what as { steps: number }).steps);
    else machine.apply(what as MachineEvent);
  } catch (thrown) {
    if (!(thrown instanceof UsageError)) throw thrown;
  }
}

/** A machine that was recorded, and the file. */
export interface Recorded {
  readonly machine: Machine;
  readonly file: Uint8Array;
}

/** Digests, keyframes and chunks far closer together than usual, so that short traces have all kinds of them. */
export const DENSE: RecordOptions = { digestEvery: 500, keyframeEvery: 1500, chunkBytes: 200, chunkEvents: 8 };

/** Records happenings. */
export function record(list: readonly Happening[], options: RecordOptions = DENSE, machine = tallyMachine()): Recorded {
  const sink = memorySink();
  const recording = recordMachine(machine, sink, options);
  for (const each of list) perform(machine, each);
  recording.close();
  return { machine, file: sink.bytes() };
}

/** One trace with chunks of every kind, a few kilobytes long. */
export function sampleTrace(): Recorded {
  const steps: Happening = { type: 'steps', steps: 700 };
  const poke: Happening = {
    type: 'processor/registerSet',
    processor: 1,
    register: 'RAX',
    value: 0xffff_ffff_8000_0000n,
  };
  const write: Happening = { type: 'memory/written', address: 0x30_0000, bytes: Uint8Array.of(1, 2, 3) };
  const count: Happening = { type: 'tally/counted', by: 7, total: 9n, note: 'seven', data: Uint8Array.of(7) };
  const round = [steps, poke, write, count];
  return record([...round, ...round, steps, count, count, poke, ...round]);
}
