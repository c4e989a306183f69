import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/error.js';
import { type MachineEvent, positionsOf } from '../../src/event/event.js';
import { EventLog } from '../../src/machine/log.js';

const events: fc.Arbitrary<MachineEvent> = fc.oneof(
  fc.record({
    type: fc.constant('processor/stepsRetired' as const),
    processor: fc.nat(2),
    steps: fc.integer({ min: 1, max: 9 }),
  }),
  fc.record({
    type: fc.constant('processor/registerSet' as const),
    processor: fc.nat(2),
    register: fc.constant('RAX'),
    value: fc.bigInt({ min: 0n, max: 9n }),
  }),
);

/** One element a position: what a log says in few entries. */
function spread(list: Iterable<{ readonly event: MachineEvent }>): string[] {
  return [...list].flatMap(({ event }) =>
    event.type === 'processor/stepsRetired'
      ? new Array<string>(positionsOf(event)).fill(`step of ${String(event.processor)}`)
      : [JSON.stringify(event, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))],
  );
}

describe('an event log', () => {
  it('keeps every position in order, however runs of steps were continued', () => {
    fc.assert(
      fc.property(fc.array(events, { maxLength: 40 }), (list) => {
        const log = new EventLog(list);
        const expected = spread(list.map((event) => ({ event })));
        expect(log.length).toBe(expected.length);
        expect(spread(log.entries())).toEqual(expected);
      }),
    );
  });

  it('is sliced at any positions', () => {
    fc.assert(
      fc.property(fc.array(events, { maxLength: 40 }), fc.nat(80), fc.nat(80), (list, from, length) => {
        const log = new EventLog(list);
        expect(spread(log.slice(from, from + length))).toEqual(spread(log.entries()).slice(from, from + length));
      }),
    );
  });

  it('merges the runs of one processor into one entry', () => {
    const log = new EventLog([
      { type: 'processor/stepsRetired', processor: 0, steps: 5 },
      { type: 'processor/stepsRetired', processor: 0, steps: 7 },
    ]);
    expect(log.entries()).toEqual([
      { position: 0, event: { type: 'processor/stepsRetired', processor: 0, steps: 12 } },
    ]);
  });

  it('cannot be changed from outside: bytes are copied on the way in and out', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const log = new EventLog([{ type: 'memory/written', address: 0, bytes }]);
    bytes[0] = 9;
    (log.at(0).event as unknown as { bytes: Uint8Array }).bytes[1] = 9;
    expect(log.at(0).event).toEqual({ type: 'memory/written', address: 0, bytes: Uint8Array.of(1, 2, 3) });
    expect(() => Object.assign(log.at(0).event, { address: 1 })).toThrow(TypeError);
  });

  it('refuses a position that is not there and says which are', () => {
    expect(() => new EventLog([]).at(0)).toThrow(UsageError);
  });
});
