// What a test does to a machine, as plain data, and how it is done. An action that the machine refuses (a typed error)
// must leave it as it was; what it accepts is in its log afterwards.
import { type Machine, type MachineEvent, NotModelled, UsageError } from '@retrovisor/core';
import fc from 'fast-check';
import type { Observable } from 'rxjs';
import { intrinsicCall } from './intrinsic-call.js';
import { littleEndian, POINTERS } from './machine-code.js';
import { bareMachine, type MachinePlan, MEMORY_BYTES, makeMachine, programmedMachine } from './machine-plan.js';
import { idtFor, PROGRAM_BASE } from './program.js';
import { virtualization } from './virtualization.js';

export type Action =
  | { readonly do: 'event'; readonly event: MachineEvent }
  /** Processors in turns. */
  | { readonly do: 'run'; readonly steps: number }
  /** One processor, whoever's turn it is. */
  | { readonly do: 'step'; readonly processor: number; readonly steps: number };

/** A machine and what is done to it. */
export interface Scenario {
  readonly plan: MachinePlan;
  readonly actions: readonly Action[];
}

/** Does one action. @returns the code of the typed error with which the machine refused it, if it did */
export function perform(machine: Machine, action: Action): string | undefined {
  try {
    if (action.do === 'event') machine.apply(action.event);
    else if (action.do === 'run') machine.run({ maxSteps: action.steps });
    else machine.step(action.processor, action.steps);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof NotModelled || thrown instanceof UsageError) return thrown.code;
    throw thrown;
  }
}

/** A machine to which everything was done. */
export function play({ plan, actions }: Scenario): Machine {
  const machine = makeMachine(plan);
  for (const action of actions) perform(machine, action);
  return machine;
}

const event = (each: MachineEvent): Action => ({ do: 'event', event: each });
const poke = (processor: number, register: string, value: bigint): Action =>
  event({ type: 'processor/registerSet', processor, register, value });
const write = (address: number, bytes: Uint8Array): Action => event({ type: 'memory/written', address, bytes });

const IDT = 0x7_0000;
/** Two linear pages of one frame, one that is not present, one of the code: what `0x9007` as a directory entry leads to. */
const SMALL_PAGES = [0x40_0007n, 0x40_0007n, 0n, 0x10_0007n, 0x40_1007n, 0x40_2005n].flatMap((entry) =>
  littleEndian(entry, 8),
);

/** All processors at the start of the program, each with its own stack; with or without a way to handle faults. */
function bringUp(plan: MachinePlan, withIdt: boolean): readonly Action[] {
  const load = plan.load ?? PROGRAM_BASE;
  const processors = Array.from({ length: plan.processors }, (_, id) => id);
  const others = processors
    .slice(1)
    .flatMap((id) => [poke(id, 'activity', 0n), poke(id, 'RSP', BigInt(0x8_0000 - id * 0x1000))]);
  const idt = processors.flatMap((id) => [poke(id, 'IDTR.base', BigInt(IDT)), poke(id, 'IDTR.limit', 0x21fn)]);
  return [
    write(POINTERS.smallPages, Uint8Array.from(SMALL_PAGES)),
    ...others,
    ...(withIdt ? [write(IDT, idtFor(load)), ...idt] : []),
  ];
}

const POKED = [
  'RAX',
  'RCX',
  'RDX',
  'RBX',
  'RSI',
  'RDI',
  'R8',
  'R15',
  'RSP',
  'RIP',
  'RFLAGS',
  'CR2',
  'IA32_PAT',
  'IDTR.limit',
  'FS.base',
];
const value64 = fc.oneof(
  fc.constantFrom<bigint>(
    0n,
    1n,
    0xffffn,
    0x10_0000n,
    0x40_0000n,
    0x40_1fffn,
    0x3010n,
    0x9000n,
    0x8000_0000_0000n,
    2n ** 64n - 1n,
  ),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);

function anyPoke(processors: number): fc.Arbitrary<Action> {
  return fc
    .tuple(fc.nat(processors - 1), fc.constantFrom(...POKED), value64)
    .map(([processor, register, value]) =>
      poke(processor, register, register === 'IDTR.limit' ? value & 0xffffn : value),
    );
}

/** Data, page tables, code, a frame boundary, the last byte of RAM and what lies behind it. */
const ADDRESSES = [
  POINTERS.data,
  POINTERS.edge,
  POINTERS.tables + 16,
  POINTERS.smallPages,
  PROGRAM_BASE + 0x40,
  PROGRAM_BASE + 0xffe,
  0x40_0ffe,
  MEMORY_BYTES - 1,
  MEMORY_BYTES,
  0x50_0000,
];
const anyWrite: fc.Arbitrary<Action> = fc
  .tuple(fc.constantFrom(...ADDRESSES), fc.uint8Array({ minLength: 1, maxLength: 12 }))
  .map(([address, bytes]) => write(address, bytes));

function anyRun(processors: number, most: number): fc.Arbitrary<Action> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 1, max: most }).map((steps): Action => ({ do: 'run', steps })) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.nat(processors - 1), fc.integer({ min: 1, max: most }))
        .map(([processor, steps]): Action => ({ do: 'step', processor, steps })),
    },
  );
}

/** Intrinsics, pokes and writes on a machine without a program. */
const intrinsicScenario: fc.Arbitrary<Scenario> = bareMachine.chain((plan) =>
  fc
    .tuple(
      virtualization(plan),
      fc.array(
        fc.oneof(
          { weight: 8, arbitrary: intrinsicCall(plan).map(event) },
          { weight: 1, arbitrary: anyPoke(plan.processors) },
          { weight: 1, arbitrary: anyWrite },
        ),
        { minLength: 1, maxLength: 60 },
      ),
    )
    .map(([first, actions]) => ({ plan, actions: [...first.map(event), ...actions] })),
);

/** Runs of a program with everything else in between. */
export function programScenario({
  steps = 200,
  actions = 10,
}: {
  readonly steps?: number;
  readonly actions?: number;
} = {}): fc.Arbitrary<Scenario> {
  return fc.tuple(programmedMachine, fc.boolean()).chain(([plan, withIdt]) => {
    const between = fc.oneof(
      { weight: 6, arbitrary: anyRun(plan.processors, steps) },
      { weight: 1, arbitrary: intrinsicCall(plan).map(event) },
      { weight: 1, arbitrary: anyPoke(plan.processors) },
      { weight: 1, arbitrary: anyWrite },
    );
    return fc
      .tuple(virtualization(plan), fc.array(between, { minLength: 2, maxLength: actions }))
      .map(([first, list]) => ({ plan, actions: [...first.map(event), ...bringUp(plan, withIdt), ...list] }));
  });
}

/** Any of the two. */
export const scenario = (limits: { readonly steps?: number; readonly actions?: number } = {}): fc.Arbitrary<Scenario> =>
  fc.oneof({ weight: 1, arbitrary: intrinsicScenario }, { weight: 3, arbitrary: programScenario(limits) });

/** Every stream of a machine. */
export function streamsOf({ events$, outcomes$, state$, emissions$ }: Machine): readonly Observable<unknown>[] {
  return [events$, outcomes$, state$, emissions$];
}
