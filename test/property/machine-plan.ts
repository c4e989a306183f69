// The machines that properties are checked on, as plain data: a plan can be printed by fast-check, sent to another process
// and made into a machine there.
import {
  type BootImage,
  type BootMode,
  createMachine,
  longMode,
  type Machine,
  type Plugin,
  rawImage,
} from '@retrovisor/core';
import { EPYC_NPS4, fitMachine, type MachineDescription, numa, XEON_8360Y } from '@retrovisor/numa';
import { svm } from '@retrovisor/svm';
import { vmx } from '@retrovisor/vmx';
import fc from 'fast-check';
import { PROGRAM_BASE, program } from './program.js';

export const MEMORY_BYTES = 16 * 2 ** 20;

/** Core alone, an Intel machine with vmx and numa, an AMD machine with svm and numa. */
export type Kind = 'core' | 'intel' | 'amd';
const KINDS: readonly Kind[] = ['core', 'intel', 'amd'];

export interface MachinePlan {
  readonly kind: Kind;
  readonly processors: number;
  readonly quantum: number;
  readonly schedule?: { readonly random: number } | undefined;
  /** Machine code, loaded so that its first byte is at `load`; absent: a machine for intrinsics. */
  readonly code?: Uint8Array;
  readonly load?: number;
  /** Mode at entry; long if absent. The same bytes are other instructions in another mode. */
  readonly mode?: BootMode;
}

export function makeMachine(plan: MachinePlan): Machine {
  const { kind, processors, quantum, schedule } = plan;
  const profile = kind === 'amd' ? 'amd-server' : 'intel-server';
  const [memory, boot, plugins] = [MEMORY_BYTES, bootOf(plan), pluginsOf(plan)];
  return createMachine<readonly Plugin[]>({ profile, processors, quantum, schedule, memory, boot, plugins });
}

function bootOf({ code, load = PROGRAM_BASE, mode = 'long' }: MachinePlan): BootImage {
  return code === undefined ? longMode() : rawImage({ bytes: code, mode, load });
}

export function pluginsOf({ kind, processors }: Pick<MachinePlan, 'kind' | 'processors'>): readonly Plugin[] {
  const timing = (machine: MachineDescription) => numa(fitMachine(machine, { processors, memoryBytes: MEMORY_BYTES }));
  if (kind === 'intel') return [vmx, timing(XEON_8360Y)];
  return kind === 'amd' ? [svm, timing(EPYC_NPS4)] : [];
}

/** A machine without code of its own. */
export const bareMachine = fc.record({
  kind: fc.constantFrom(...KINDS),
  processors: fc.integer({ min: 1, max: 4 }),
  quantum: fc.constantFrom(1, 7, 64, 100_000),
  schedule: fc.option(fc.record({ random: fc.nat() }), { nil: undefined, freq: 2 }),
});

/** Where a program lies and how it is entered. It may lie across a page boundary, in real mode across the end of CS. */
const entry: fc.Arbitrary<Required<Pick<MachinePlan, 'load' | 'mode'>>> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      mode: fc.constant<BootMode>('long'),
      load: fc.constantFrom(PROGRAM_BASE, PROGRAM_BASE + 0xfc5, PROGRAM_BASE + 0xff9),
    }),
  },
  { weight: 1, arbitrary: fc.record({ mode: fc.constant<BootMode>('real'), load: fc.constantFrom(0x8000, 0xffe0) }) },
  { weight: 1, arbitrary: fc.record({ mode: fc.constant<BootMode>('protected'), load: fc.constant(PROGRAM_BASE) }) },
);

/** A machine that has a random program in memory. */
export const programmedMachine: fc.Arbitrary<MachinePlan> = bareMachine.chain((bare) =>
  fc.tuple(program(bare.kind), entry).map(([code, place]) => ({ ...bare, code, ...place })),
);
