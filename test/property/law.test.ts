// state(n) = fold(apply, state(0), events[0 .. n)): the pure function, event by event and step by step, and the machine
// that applied everything inside one draft come to the same states.
import { apply, initialState, type MachineEvent, positionsOf } from '@retrovisor/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { perform, play, programScenario, scenario } from './action.js';
import { eventsOf, fold, singleSteps } from './fold.js';
import { expectSame, identityOf } from './identity.js';
import { makeMachine } from './machine-plan.js';
import { runs } from './runs.js';

describe('the law', () => {
  it('holds event by event: a fold of the pure apply ends where the machine stands', () => {
    fc.assert(
      fc.property(scenario(), (each) => {
        const machine = play(each);
        expectSame(fold(machine, eventsOf(machine)), machine.state, 'fold | machine');
      }),
      runs(40),
    );
  });

  it('holds step by step, on another machine made from the same plan', () => {
    fc.assert(
      fc.property(scenario({ steps: 60, actions: 5 }), (each) => {
        const machine = play(each);
        expectSame(
          fold(makeMachine(each.plan), singleSteps(eventsOf(machine))),
          machine.state,
          'single steps | machine',
        );
      }),
      runs(40),
    );
  });

  it('holds when the host forgets: every apply starts from the sealed state alone', () => {
    fc.assert(
      fc.property(scenario({ steps: 60, actions: 5 }), (each) => {
        const machine = play(each);
        const { definition } = machine;
        const elsewhere = initialState(definition);
        const nudge: MachineEvent = { type: 'memory/written', address: 0x60_0000, bytes: Uint8Array.of(1) };
        let state = elsewhere;
        for (const event of singleSteps(eventsOf(machine))) {
          apply(definition, elsewhere, nudge); // what a draft remembers of `state` is gone
          state = apply(definition, state, event).state;
        }
        expectSame(state, machine.state, 'cold single steps | machine');
      }),
      runs(40),
    );
  });

  it('counts: the position is the number of events, steps included', () => {
    fc.assert(
      fc.property(scenario(), (each) => {
        const machine = play(each);
        const positions = eventsOf(machine).reduce((sum, event) => sum + positionsOf(event), 0);
        expect([machine.position, machine.state.position, machine.log.length]).toEqual([
          positions,
          positions,
          positions,
        ]);
      }),
      runs(20),
    );
  });

  it('leaves the state that was given as it was', () => {
    fc.assert(
      fc.property(scenario({ actions: 4 }), (each) => {
        const machine = makeMachine(each.plan);
        for (const action of each.actions) {
          const before = machine.state;
          const text = identityOf(before);
          const past = machine.log.size;
          perform(machine, action);
          for (const event of eventsOf(machine).slice(past)) apply(machine.definition, before, event);
          expect(identityOf(before)).toBe(text);
        }
      }),
      runs(15),
    );
  });

  it('gives the same outcomes again', () => {
    fc.assert(
      fc.property(programScenario({ steps: 60, actions: 6 }), ({ plan, actions }) => {
        const outcomes = [makeMachine(plan), makeMachine(plan)].map((machine) => {
          const seen: unknown[] = [];
          machine.events$.subscribe({ next: ({ outcome }) => seen.push(outcome), error: () => seen.push('error') });
          for (const action of actions) perform(machine, action);
          return seen;
        });
        expect(outcomes[0]).toEqual(outcomes[1]);
      }),
      runs(20),
    );
  });
});
