// What the API hands out is frozen through and through, and its bytes are copies: nobody can change the past by hand.
import { type Machine, PhysicalMemory } from '@retrovisor/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { perform, play, type Scenario, scenario, streamsOf } from './action.js';
import { expectSame, identityOf } from './identity.js';
import { makeMachine } from './machine-plan.js';
import { runs } from './runs.js';

/** Paths of plain objects and arrays that could be changed. */
function unfrozen(value: unknown, path: string, seen = new Set<unknown>()): readonly string[] {
  if (typeof value !== 'object' || value === null || seen.has(value) || value instanceof Uint8Array) return [];
  seen.add(value);
  const inside = Object.entries(value).flatMap(([key, part]) => unfrozen(part, `${path}.${key}`, seen));
  return Object.isFrozen(value) ? inside : [path, ...inside];
}

/** Every array of bytes that can be reached. */
function bytesIn(value: unknown, seen = new Set<unknown>()): readonly Uint8Array[] {
  if (value instanceof Uint8Array) return [value];
  if (typeof value !== 'object' || value === null || seen.has(value)) return [];
  seen.add(value);
  return Object.values(value).flatMap((part) => bytesIn(part, seen));
}

/** Everything that a machine hands out about what happened to it. */
function handedOut(machine: Machine): Readonly<Record<string, unknown>> {
  const timeline = machine.timeline();
  const steps = [...timeline.steps()];
  return {
    state: machine.state,
    past: timeline.seek(Math.floor(timeline.length / 2)),
    steps,
    entries: [...machine.log.entries()],
    entry: timeline.length > 0 ? machine.log.at(0) : undefined,
    slice: [...machine.log.slice(0, timeline.length)],
    why: timeline.why(),
    explained: steps.slice(-3).map(({ position }) => timeline.why(position)),
    lastWrite: timeline.lastWrite('RIP'),
    values: [...timeline.diff(0, timeline.length)].flatMap(({ before, after }) => [before, after]),
  };
}

/** Plays a scenario and keeps what was published and returned on the way. */
function playWatched({ plan, actions }: Scenario): { machine: Machine; told: unknown[] } {
  const machine = makeMachine(plan);
  const told: unknown[] = [];
  const keep = { next: (value: unknown) => told.push(value), error: () => {} };
  for (const stream of streamsOf(machine)) stream.subscribe(keep);
  for (const action of actions) {
    if (action.do !== 'event') perform(machine, action);
    else told.push(outcomeOf(machine, action));
  }
  return { machine, told };
}

function outcomeOf(machine: Machine, action: Extract<Scenario['actions'][number], { do: 'event' }>): unknown {
  try {
    return machine.apply(action.event);
  } catch {
    return undefined; // a gap or a wrong call: the law's tests look at those
  }
}

const small = scenario({ steps: 30, actions: 4 });

describe('what is handed out', () => {
  it('cannot be changed', () => {
    fc.assert(
      fc.property(small, (each) => {
        const { machine, told } = playWatched(each);
        expect(unfrozen(machine.state, 'state')).toEqual([]);
        expect(told.flatMap((value, index) => unfrozen(value, `told[${index}]`))).toEqual([]);
        const shown = handedOut(machine);
        // The lists are the caller's own, what is in them is not.
        const lists = new Set(['steps', 'entries', 'slice', 'explained', 'values']);
        const loose = Object.entries(shown).flatMap(([name, value]) =>
          lists.has(name)
            ? (value as readonly unknown[]).flatMap((item, index) => unfrozen(item, `${name}[${index}]`))
            : unfrozen(value, name),
        );
        expect(loose).toEqual([]);
      }),
      runs(20),
    );
  });

  it('holds bytes that are copies: whoever changes them changes nothing else', () => {
    fc.assert(
      fc.property(small, (each) => {
        const { machine, told } = playWatched(each);
        const before = identityOf(machine.state);
        for (const bytes of [...bytesIn(handedOut(machine)), ...bytesIn(told)]) bytes.fill(0xee);
        machine.readMemory(0x3000, 64).fill(0xee);
        machine.state.memory.read(0x3000, 64).fill(0xee);
        expect(identityOf(machine.state)).toBe(before);
        expectSame(
          machine.timeline().seek(machine.position),
          play(each).state,
          'the past after its bytes were changed | before',
        );
      }),
      runs(20),
    );
  });

  it('takes copies of bytes too: whoever changes them afterwards changes nothing', () => {
    const machine = makeMachine({ kind: 'core', processors: 1, quantum: 100 });
    const bytes = Uint8Array.of(1, 2, 3);
    machine.writeMemory(0x40_0000, bytes);
    machine.apply({ type: 'memory/written', address: 0x40_1000, bytes });
    bytes.fill(9);
    expect(machine.timeline().seek(2).memory.read(0x40_0000, 3)).toEqual(Uint8Array.of(1, 2, 3));
    expect(machine.timeline().seek(2).memory.read(0x40_1000, 3)).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('throws when somebody tries', () => {
    const { state } = makeMachine({ kind: 'intel', processors: 2, quantum: 100 });
    const attempts: (() => void)[] = [
      () => Object.assign(state, { position: 5 }),
      () => Object.assign(state.processors[0]?.general ?? {}, { RAX: 5n }),
      () => (state.processors as unknown[]).push(state.processors[0]),
      () => Object.assign(state.plugins, { vmx: undefined }),
      () => Object.assign(state.memory, { ranges: [] }),
      () => (state.memory.ranges as unknown[]).push({ start: 0, end: 1 }),
    ];
    for (const attempt of attempts) expect(attempt).toThrow(TypeError);
    expect(state.memory).toBeInstanceOf(PhysicalMemory);
  });
});
