// Any position, in any order, from any keyframe: `seek` finds the state that the fold of `apply` has there, and a fork
// goes on from it as if nothing else had ever happened.
import { apply, type MachineEvent, Timeline } from '@retrovisor/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { perform, play, scenario } from './action.js';
import { eventsOf, everyState } from './fold.js';
import { expectSame } from './identity.js';
import { type MachinePlan, makeMachine } from './machine-plan.js';
import { runs } from './runs.js';

const positions = fc.array(fc.nat(100_000), { minLength: 1, maxLength: 12 });

describe('a timeline', () => {
  it('finds at each position what the fold has there, in any order', () => {
    fc.assert(
      fc.property(scenario({ steps: 60, actions: 5 }), positions, (each, wanted) => {
        const machine = play(each);
        const states = everyState(machine);
        const timeline = machine.timeline();
        for (const position of wanted.map((number) => number % states.length)) {
          expectSame(timeline.seek(position), states[position] as (typeof states)[number], `seek(${position}) | fold`);
        }
        expectSame(timeline.seek(timeline.length), machine.state, 'the end | machine');
      }),
      runs(25),
    );
  });

  it('walks single steps to the same states, and with the outcomes of apply', () => {
    fc.assert(
      fc.property(scenario({ steps: 60, actions: 5 }), (each) => {
        const machine = play(each);
        const states = everyState(machine);
        for (const step of machine.timeline().steps()) {
          const before = states[step.position] as (typeof states)[number];
          expect(apply(machine.definition, before, step.event).outcome).toEqual(step.outcome);
        }
      }),
      runs(30),
    );
  });

  it('forks: the fork goes on like a machine that came there by itself, and its origin stays', () => {
    fc.assert(
      fc.property(scenario({ steps: 60, actions: 5 }), fc.nat(), fc.nat(5), (each, where, rest) => {
        const machine = play(each);
        const position = where % (machine.position + 1);
        const fork = machine.fork(position);
        const alone = makeMachine(each.plan);
        for (const { event } of machine.log.slice(0, position)) alone.apply(event);
        for (const action of each.actions.slice(-rest)) for (const other of [fork, alone]) perform(other, action);
        expectSame(fork.state, alone.state, 'fork | alone');
        expect(eventsOf(fork)).toEqual(eventsOf(alone));
        expectSame(machine.state, play(each).state, 'the origin of the fork | never forked');
      }),
      runs(30),
    );
  });

  it('says of no difference that there is one, and of each that there is', () => {
    fc.assert(
      fc.property(scenario({ steps: 60, actions: 5 }), fc.nat(), fc.nat(), (each, one, other) => {
        const machine = play(each);
        const timeline = machine.timeline();
        const [from, to] = [one % (timeline.length + 1), other % (timeline.length + 1)];
        const differences = [...timeline.diff(from, to)];
        for (const { location, before, after } of differences) {
          expect(before).not.toEqual(after);
          if (!location.startsWith('slice') && !location.includes('/slice'))
            expect(timeline.read(location, from)).not.toEqual(timeline.read(location, to));
        }
        const patched = { ...timeline.seek(to), position: from, turn: timeline.seek(from).turn };
        if (differences.length === 0)
          expectSame(timeline.seek(from), patched, `no difference between ${from} and ${to}`);
      }),
      runs(30),
    );
  });
});

/** INC ECX; ADD [RBX + 8], RCX; MOV EDX, ECX; AND EDX, FFFH; MOV [RBX + RDX], CL; JMP back. */
const LOOP = Uint8Array.from([
  0xff, 0xc1, 0x48, 0x01, 0x4b, 0x08, 0x89, 0xca, 0x81, 0xe2, 0xff, 0x0f, 0x00, 0x00, 0x88, 0x0c, 0x13, 0xeb, 0xed,
]);

describe('a long timeline', () => {
  const plan: MachinePlan = { kind: 'core', processors: 1, quantum: 100_000, code: LOOP };
  const length = 130_000;
  const setUp: MachineEvent = { type: 'processor/registerSet', processor: 0, register: 'RBX', value: 0x40_0000n };

  function longRun() {
    const machine = makeMachine(plan);
    machine.apply(setUp);
    machine.run({ maxSteps: length });
    return machine;
  }

  it('comes to the same states from whatever keyframe is near', () => {
    const machine = longRun();
    const visited = machine.timeline();
    fc.assert(
      fc.property(fc.nat(length), (position) => {
        const fresh = new Timeline(machine.definition, machine.log);
        expectSame(
          visited.seek(position),
          fresh.seek(position),
          `seek(${position}) of a visited timeline | of a new one`,
        );
      }),
      runs(25),
    );
  });

  it('finds the same last write from any side', () => {
    const machine = longRun();
    const timeline = machine.timeline();
    for (const before of [length + 1, 70_003, 40_001, 20_000, 9]) {
      const step = timeline.lastWrite('[0x400008+8]', before);
      expect(step?.text).toContain('add');
      expect(step?.position).toBeGreaterThan(before - 7);
      expect(timeline.lastWrite('RBX', before)?.position).toBe(0);
    }
  });
});
