// Whoever watches, asks and travels changes nothing; and the streams begin, end and fail as RxJS promises.
import {
  type AppliedEvent,
  createMachine,
  definePlugin,
  type Machine,
  type MachineState,
  NotModelled,
  rawImage,
  UsageError,
} from '@retrovisor/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { perform, play, type Scenario, scenario, streamsOf } from './action.js';
import { eventsOf } from './fold.js';
import { expectSame, identityOf } from './identity.js';
import { makeMachine } from './machine-plan.js';
import { runs } from './runs.js';

const LOCATIONS = ['RAX', 'CR4.PAE', 'RFLAGS', '[0x400000+8]', '[0x3010+8]', 'RIP'];

/** Everything that one can ask, chosen by a number. */
function ask(machine: Machine, choice: number): void {
  const timeline = machine.timeline();
  const position = choice % (timeline.length + 1);
  const location = LOCATIONS[choice % LOCATIONS.length] ?? 'RAX';
  const asked = [
    () => identityOf(machine.state),
    () => timeline.seek(position),
    () => timeline.lastWrite(location, position),
    () => timeline.why(),
    () => [...timeline.diff(position, timeline.length)],
    () => timeline.read(location, position),
    () => [machine.readRegister(0, 'RFLAGS'), machine.readMemory(0x3000, 64), machine.processor(0).state],
    () => timeline.previous(({ outcome }) => outcome.kind === 'fault', position),
    () => [...timeline.steps(Math.max(0, position - 5), position)],
    () => machine.fork(position).run({ maxSteps: 20 }),
  ];
  try {
    asked[choice % asked.length]?.();
  } catch (thrown) {
    if (!(thrown instanceof NotModelled)) throw thrown;
  }
}

describe('observing a machine', () => {
  it('never changes it: subscribed, read and asked at each turn it comes to the same state and log', () => {
    fc.assert(
      fc.property(
        scenario({ steps: 60, actions: 5 }),
        fc.array(fc.nat(), { minLength: 1, maxLength: 8 }),
        (each, choices) => {
          const watched = makeMachine(each.plan);
          const ignore = { next: () => {}, error: () => {} };
          for (const stream of streamsOf(watched)) stream.subscribe(ignore);
          for (const [index, action] of each.actions.entries()) {
            perform(watched, action);
            ask(watched, choices[index % choices.length] ?? 0);
          }
          const alone = play(each);
          expectSame(watched.state, alone.state, 'watched | alone');
          expect(eventsOf(watched)).toEqual(eventsOf(alone));
        },
      ),
      runs(30),
    );
  });

  it('shows the states that the timeline has at those positions', () => {
    fc.assert(
      fc.property(scenario({ steps: 40, actions: 4 }), (each) => {
        const { machine, states, outcomes } = watch(each);
        for (const state of states) expectSame(state, machine.timeline().seek(state.position), 'published | timeline');
        for (const { position, outcome } of outcomes)
          expect(machine.timeline().stepAt(position).outcome).toEqual(outcome);
      }),
      runs(15),
    );
  });
});

function watch({ plan, actions }: Scenario) {
  const machine = makeMachine(plan);
  const states: MachineState[] = [];
  const outcomes: AppliedEvent[] = [];
  machine.state$.subscribe({ next: (state) => states.push(state), error: () => {} });
  machine.outcomes$.subscribe({ next: (applied) => outcomes.push(applied), error: () => {} });
  for (const action of actions) perform(machine, action);
  return { machine, states, outcomes };
}

/** What a subscriber of each stream was told last. */
function listen(machine: Machine) {
  const told = { events: [] as string[], outcomes: [] as string[], states: [] as string[], emissions: [] as string[] };
  const listener = (list: string[]) => ({
    next: () => list.push('next'),
    error: (thrown: unknown) => list.push(thrown instanceof Error ? thrown.name : 'error'),
    complete: () => list.push('complete'),
  });
  machine.events$.subscribe(listener(told.events));
  machine.outcomes$.subscribe(listener(told.outcomes));
  machine.state$.subscribe(listener(told.states));
  machine.emissions$.subscribe(listener(told.emissions));
  return told;
}

describe('the streams', () => {
  const bare = { kind: 'core', processors: 1, quantum: 100 } as const;
  /** CPUID reports VMX, but nobody brings VMCALL. */
  const vmcallMissing = definePlugin({
    name: 'vmcall-missing',
    version: '1.0.0',
    apiVersion: 1,
    cpuid: [{ leaf: 1, register: 'ecx', mask: 1 << 5 }],
  });
  /** NOP; VMCALL. */
  const boot = rawImage({ bytes: Uint8Array.of(0x90, 0x0f, 0x01, 0xc1), mode: 'long', load: 0x10_0000 });
  const machineUntilGap = () =>
    createMachine({ profile: 'intel-server', plugins: [vmcallMissing], boot }) as unknown as Machine;

  it('tell each event once and complete when the machine is closed', () => {
    const machine = makeMachine(bare);
    const told = listen(machine);
    machine.processor(0).set('RAX', 1n);
    machine.close();
    expect(told).toEqual({
      events: ['next', 'complete'],
      outcomes: ['next', 'complete'],
      states: ['next', 'complete'],
      emissions: ['complete'],
    });
  });

  it('refuse what comes after the end', () => {
    const machine = makeMachine(bare);
    machine.close();
    expect(() => machine.processor(0).set('RAX', 1n)).toThrow(UsageError);
    expect(() => machine.run()).toThrow(UsageError);
    const late: string[] = [];
    machine.events$.subscribe({ next: () => late.push('next'), complete: () => late.push('complete') });
    expect(late).toEqual(['complete']);
  });

  it('tell what ran, then error with what ended the machine', () => {
    const machine = machineUntilGap();
    const told = listen(machine);
    expect(() => machine.run()).toThrow(NotModelled);
    expect(told).toEqual({
      events: ['next', 'NotModelled'],
      outcomes: ['next', 'NotModelled'],
      states: ['next', 'NotModelled'],
      emissions: [],
    });
  });

  it('lose nothing of what ran before the error when a run is told as a whole', () => {
    const machine = machineUntilGap();
    const told: (AppliedEvent | string)[] = [];
    machine.events$.subscribe({ next: (applied) => told.push(applied), error: () => told.push('error') });
    expect(() => machine.run()).toThrow(NotModelled);
    expect(told).toEqual([
      {
        position: 0,
        event: { type: 'processor/stepsRetired', processor: 0, steps: 1 },
        outcome: { kind: 'completed' },
      },
      'error',
    ]);
  });

  it('do not error for what the caller did wrong', () => {
    const machine = makeMachine(bare);
    const told = listen(machine);
    expect(() => machine.processor(0).set('NOPE', 1n)).toThrow(UsageError);
    machine.processor(0).set('RAX', 1n);
    expect(told.events).toEqual(['next']);
  });

  it('publish nothing to those who subscribe later', () => {
    const machine = makeMachine(bare);
    machine.processor(0).set('RAX', 1n);
    const told = listen(machine);
    expect(told).toEqual({ events: [], outcomes: [], states: [], emissions: [] });
  });
});
