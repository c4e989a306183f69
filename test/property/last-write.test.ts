// Who wrote it: the timeline's answer against a search that knows nothing of instructions. The search compares the states
// at all positions, and asks of each step whether it would overwrite another value: if the place is given one before the
// step and has lost it afterwards, the step wrote it.
import {
  apply,
  type Location,
  type Machine,
  type MachineEvent,
  type MachineState,
  parseLocation,
  readLocation,
} from '@retrovisor/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { play, scenario } from './action.js';
import { eventsOf, everyState, singleSteps } from './fold.js';
import { runs } from './runs.js';

const PLACES = [
  'RAX',
  'RCX',
  'RDX',
  'RBX',
  'RSP',
  'RIP',
  'CR3',
  'CR4',
  'RFLAGS',
  'IA32_EFER',
  'IA32_PAT',
  'CR2',
  'processor/1/RAX',
  'CR4.PAE',
  'RFLAGS.ZF',
  'IA32_EFER.NXE',
  '[0x400000]',
  '[0x400000+8]',
  '[0x401ffc+8]',
  '[0x3010+8]',
  '[0x9000+8]',
  '[0x500000+4]',
  '[0x7fff8+8]',
];

/** Steps after which the place has another value than before. */
function changes(machine: Machine, states: readonly MachineState[], location: Location): readonly number[] {
  const values = states.map((state) =>
    JSON.stringify(readLocation(machine.definition, location, state), (_, part) =>
      typeof part === 'bigint' ? `${part}n` : part,
    ),
  );
  return values.flatMap((value, position) => (position > 0 && value !== values[position - 1] ? [position - 1] : []));
}

/** The event that gives the place another value; undefined for places that would change what the step does. */
function otherValue(machine: Machine, state: MachineState, location: Location): MachineEvent | undefined {
  if (location.kind === 'memory') {
    const bytes = state.memory.read(location.address, location.bytes).map((byte) => byte ^ 0x5a);
    return { type: 'memory/written', address: location.address, bytes };
  }
  if (location.kind !== 'register' || location.bit !== undefined || !/^R[A-D]X$/.test(location.register))
    return undefined;
  const value = readLocation(machine.definition, location, state) as bigint;
  return {
    type: 'processor/registerSet',
    processor: location.processor,
    register: location.register,
    value: value ^ 0x5a5a_5a5a_5a5a_5a5an,
  };
}

/** Whether the step writes the place, as far as a change of its value before the step can tell; it may say no too often. */
function overwrites(machine: Machine, before: MachineState, event: MachineEvent, location: Location): boolean {
  const poke = otherValue(machine, before, location);
  if (poke === undefined) return false;
  const { definition } = machine;
  const poked = apply(definition, before, poke).state;
  const read = (state: MachineState) => readLocation(definition, location, state);
  try {
    const after = apply(definition, poked, event).state;
    const sameWay = after.processors.every(
      ({ general }, id) => general.RIP === apply(definition, before, event).state.processors[id]?.general.RIP,
    );
    return (
      sameWay &&
      String(read(after)) === String(read(apply(definition, before, event).state)) &&
      String(read(after)) !== String(read(poked))
    );
  } catch {
    return false; // the other value led into a gap
  }
}

describe('the last write', () => {
  it('is never before the last change, and explains the value that stands there', () => {
    fc.assert(
      fc.property(
        scenario({ steps: 40, actions: 5 }),
        fc.array(fc.tuple(fc.constantFrom(...PLACES), fc.nat()), { minLength: 1, maxLength: 3 }),
        (each, asked) => {
          const machine = play(each);
          const states = everyState(machine);
          for (const [place, number] of asked) {
            if (place.startsWith('processor/1') && each.plan.processors < 2) continue;
            checkPlace(machine, states, place, number % states.length);
          }
        },
      ),
      runs(40),
    );
  });

  it('is found for each step that overwrites the place', () => {
    fc.assert(
      fc.property(
        scenario({ steps: 25, actions: 4 }),
        fc.constantFrom('RAX', 'RCX', 'RDX', '[0x400000+8]', '[0x3010+8]', '[0x500000+4]'),
        (each, place) => {
          const machine = play(each);
          const states = everyState(machine);
          const location = parseLocation(machine.definition, place);
          const events = singleSteps(eventsOf(machine));
          const last = events.findLastIndex((event, position) =>
            overwrites(machine, states[position] as MachineState, event, location),
          );
          const found = machine.timeline().lastWrite(place)?.position ?? -1;
          expect(found, `${place} was overwritten at ${last}`).toBeGreaterThanOrEqual(last);
        },
      ),
      runs(25),
    );
  });
});

function checkPlace(machine: Machine, states: readonly MachineState[], place: string, before: number): void {
  const location = parseLocation(machine.definition, place);
  const timeline = machine.timeline();
  const lastChange = changes(machine, states.slice(0, before + 1), location).at(-1) ?? -1;
  const step = timeline.lastWrite(place, before);
  const found = step?.position ?? -1;
  const isBit = location.kind === 'register' && location.bit !== undefined;
  if (isBit && lastChange >= 0) expect(found, `${place} before ${before}`).toBe(lastChange);
  else expect(found, `${place} before ${before}`).toBeGreaterThanOrEqual(lastChange);
  expect(found).toBeLessThan(Math.max(before, 1));
}
