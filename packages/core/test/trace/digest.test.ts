import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apply } from '../../src/event/apply.js';
import { createMachine } from '../../src/machine/machine.js';
import { FrameMap } from '../../src/state/frame-map.js';
import { initialState } from '../../src/state/initial-state.js';
import type { MachineState } from '../../src/state/machine.js';
import { PhysicalMemory } from '../../src/state/memory.js';
import { dataDigest, formatDigest, stateDigest } from '../../src/trace/digest.js';
import { happenings, perform, tallyMachine } from './recordings.js';

const digest = (state: MachineState): string => formatDigest(stateDigest(state));

/** The same state with nothing shared and the keys of everything in another order. */
function copyOf(state: MachineState): MachineState {
  const frames = [...state.memory.frames()].map(
    (address) => [Number(address) / 4096, state.memory.read(address, 4096)] as const,
  );
  const { memory: _, ...rest } = state;
  return { memory: new PhysicalMemory(FrameMap.EMPTY.with(frames.toReversed()), state.memory.ranges), ...turned(rest) };
}

function turned<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(turned) as Value;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, part]) => [key, turned(part)]),
  ) as Value;
}

describe('the digest of a state', () => {
  it('does not depend on where the machine was sealed, nor on the order of keys', () => {
    fc.assert(
      fc.property(happenings, fc.array(fc.boolean(), { maxLength: 40 }), (list, seals) => {
        const [often, once] = [tallyMachine(), tallyMachine()];
        for (const [index, each] of list.entries()) {
          perform(often, each);
          if (seals[index] === true) stateDigest(often.state);
          perform(once, each);
        }
        const folded = once.log
          .entries()
          .reduce((state, { event }) => apply(once.definition, state, event).state, initialState(once.definition));
        const expected = digest(once.state);
        expect([digest(often.state), digest(folded), digest(copyOf(once.state))]).toEqual([
          expected,
          expected,
          expected,
        ]);
      }),
      { numRuns: 20 },
    );
  });

  it('changes with every part of the state', () => {
    const machine = tallyMachine();
    const base = machine.state;
    const [first, second] = base.processors as [MachineState['processors'][0], MachineState['processors'][0]];
    const variants: MachineState[] = [
      base,
      { ...base, position: base.position + 1 },
      { ...base, turn: { ...base.turn, used: base.turn.used + 1 } },
      { ...base, turn: { ...base.turn, processor: 0 } },
      { ...base, processors: [second, first] },
      { ...base, processors: [{ ...first, general: { ...first.general, RAX: first.general.RAX + 1n } }, second] },
      { ...base, processors: [first, { ...second, plugins: { tally: { turns: 1 } } }] },
      { ...base, plugins: { tally: { total: 1n, last: null, seen: [] } } },
      { ...base, plugins: { tally: { total: 0, last: null, seen: [] } } },
      { ...base, memory: new PhysicalMemory(FrameMap.EMPTY, base.memory.ranges) },
      { ...base, memory: createMachine({ profile: 'intel-server', memory: 2 ** 20 }).state.memory },
    ];
    expect(new Set(variants.map(digest)).size).toBe(variants.length);
  });

  it('tells the place of equal parts', () => {
    const part = Object.freeze({ x: 1 });
    const values = [
      { a: part, b: null },
      { a: null, b: part },
      { a: part, b: part },
      [part, null],
      [null, part],
      [part],
      { 0: part },
    ];
    expect(new Set(values.map((value) => formatDigest(dataDigest(value)))).size).toBe(values.length);
  });

  it('does not remember what may still change', () => {
    const slice = { seen: [1] };
    const before = formatDigest(dataDigest(slice));
    slice.seen.push(2);
    expect(formatDigest(dataDigest(slice))).not.toBe(before);
  });

  it('is the same in every process and version: this one was computed on Node 20', () => {
    const frame = new Uint8Array(4096).fill(7);
    const state = {
      position: 12,
      processors: [{ id: 0, general: { RAX: 1n, RIP: 2n ** 64n - 1n }, activity: 'active', plugins: {} }],
      memory: new PhysicalMemory(
        FrameMap.EMPTY.with([
          [3, frame],
          [2 ** 30, frame.slice()],
        ]),
        [{ start: 0, end: 2 ** 20 }],
      ),
      turn: { processor: 0, used: 3 },
      plugins: { tally: { total: 5n, last: 'ü', seen: [1, -0, 1.5] } },
    } as unknown as MachineState;
    expect(digest(state)).toMatchInlineSnapshot(`"de4934de78f67a57ddddd21928aa162abf301dc0994b7c175ffa7c0c1754d009"`);
  });
});
