// Sealing is not seen: whoever looks at a machine, as often as he likes and wherever he cuts its runs into pieces, finds
// the machine that nobody looked at.
import type { Machine } from '@retrovisor/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Action, perform, play, scenario } from './action.js';
import { eventsOf } from './fold.js';
import { expectSame } from './identity.js';
import { makeMachine } from './machine-plan.js';
import { runs } from './runs.js';

/** An endless list of choices. */
const choices = fc.infiniteStream(fc.nat(15));

/** Does a run in pieces, with a look at the state between some of them. */
function inPieces(machine: Machine, action: Action, choose: () => number): void {
  if (action.do !== 'run') {
    perform(machine, action);
    if (choose() < 8) void machine.state;
    return;
  }
  for (let left = action.steps; left > 0; ) {
    const piece = Math.min(left, 1 + choose() ** 2);
    const before = machine.position;
    if (perform(machine, { do: 'run', steps: piece }) !== undefined) return;
    if (machine.position - before < piece) return; // shut down, or nobody is active: a run at once ends there too
    if (choose() < 8) void machine.state;
    left -= piece;
  }
}

/** Whether a run asked for at once would have gone on after a shutdown that fell on the end of a piece. */
function endsWithShutdown(machine: Machine): boolean {
  return machine.state.processors.some(({ activity }) => activity === 'shutdown');
}

describe('sealing', () => {
  it('at any subset of positions leads to the same states', () => {
    fc.assert(
      fc.property(scenario(), choices, (each, stream) => {
        const machine = makeMachine(each.plan);
        for (const action of each.actions) {
          perform(machine, action);
          if ((stream.next().value ?? 0) < 8) void machine.state;
        }
        expectSame(machine.state, play(each).state, 'sealed often | sealed once');
      }),
      runs(25),
    );
  });

  it('between the pieces of a run does not show: not in the state, not in the log', () => {
    fc.assert(
      fc.property(scenario(), choices, (each, stream) => {
        const [pieces, whole] = [makeMachine(each.plan), makeMachine(each.plan)];
        for (const action of each.actions) {
          inPieces(pieces, action, () => stream.next().value ?? 0);
          perform(whole, action);
          if (endsWithShutdown(whole)) break;
        }
        if (endsWithShutdown(pieces)) return;
        expectSame(pieces.state, whole.state, 'in pieces | at once');
        expect(eventsOf(pieces)).toEqual(eventsOf(whole));
      }),
      runs(25),
    );
  });

  it('shares what did not change', () => {
    fc.assert(
      fc.property(scenario(), (each) => {
        const machine = play(each);
        const before = machine.state;
        machine.apply({
          type: 'processor/registerSet',
          processor: 0,
          register: 'RAX',
          value: before.processors[0]?.general.RAX === 1n ? 2n : 1n,
        });
        const after = machine.state;
        expect(after.memory).toBe(before.memory);
        expect(after.plugins).toBe(before.plugins);
        expect(after.processors.slice(1)).toEqual(before.processors.slice(1));
        expect(after.processors.slice(1).every((processor, index) => processor === before.processors[index + 1])).toBe(
          true,
        );
        expect(after.processors[0]?.msrs).toBe(before.processors[0]?.msrs);
      }),
      runs(15),
    );
  });
});
