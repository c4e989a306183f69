import { describe, expect, it } from 'vitest';
import {
  latchCount,
  latchStatus,
  nextChange,
  outputAt,
  type PitChannel,
  readCount,
  setGate,
  unprogrammed,
  writeControl,
  writeCount,
} from '../../src/platform/pit-channel.js';

const LOW_BYTE = 0x10;
const WORD = 0x30;

/** A counter in a mode, with a count of one byte written at tick 0: it is loaded at tick 1. */
function counting(mode: number, count: number, { gate = true } = {}): PitChannel {
  const channel = unprogrammed();
  channel.gate = gate;
  writeControl(channel, LOW_BYTE | (mode << 1));
  writeCount(channel, count, 0);
  return channel;
}

/** The output at some ticks from one on: `-` is high, as in the figures of the data sheet. */
const wave = (channel: PitChannel, from: number, ticks: number): string =>
  Array.from({ length: ticks }, (_, index) => (outputAt(channel, from + index) ? '-' : '_')).join('');

function countNow(channel: PitChannel, tick: number): number {
  latchCount(channel, tick);
  return readCount(channel, tick);
}

const counts = (channel: PitChannel, from: number, ticks: number): readonly number[] =>
  Array.from({ length: ticks }, (_, index) => countNow(channel, from + index));

describe('the output of a counter', () => {
  it.each([
    { mode: 0, count: 4, expected: '_____-------' },
    { mode: 1, count: 3, expected: '------------' }, // waits for its gate
    { mode: 2, count: 3, expected: '---_--_--_--' },
    { mode: 3, count: 4, expected: '---__--__--_' },
    { mode: 3, count: 5, expected: '----__---__-' },
    { mode: 4, count: 3, expected: '----_-------' },
    { mode: 5, count: 3, expected: '------------' },
    { mode: 6, count: 3, expected: '---_--_--_--' },
    { mode: 7, count: 4, expected: '---__--__--_' },
  ])('is $expected in mode $mode with a count of $count', ({ mode, count, expected }) => {
    const channel = counting(mode, count);
    expect(wave(channel, 0, 12)).toBe(expected);
  });

  it.each([
    { mode: 1, expected: '-___----' },
    { mode: 5, expected: '----_---' },
  ])('starts with the rise of the gate in mode $mode', ({ mode, expected }) => {
    const channel = counting(mode, 3);
    setGate(channel, false, 5);
    setGate(channel, true, 10);
    expect(wave(channel, 10, 8)).toBe(expected);
    setGate(channel, false, 12);
    setGate(channel, true, 12); // again, before the end
    expect(wave(channel, 12, 8)).toBe(mode === 1 ? '____----' : expected);
  });

  it('changes at the ticks that are announced', () => {
    for (const mode of [0, 2, 3, 4]) {
      const channel = counting(mode, 7);
      const changes = [];
      for (let tick = nextChange(channel, 0); tick !== null && tick < 50; tick = nextChange(channel, tick)) {
        changes.push(tick);
        expect(outputAt(channel, tick)).not.toBe(outputAt(channel, tick - 1));
      }
      const all = Array.from({ length: 49 }, (_, index) => index + 1);
      expect(changes).toEqual(all.filter((tick) => outputAt(channel, tick) !== outputAt(channel, tick - 1)));
    }
  });
});

describe('the gate', () => {
  it('stops the count in modes 0 and 4, which goes on from there', () => {
    const channel = counting(0, 4);
    setGate(channel, false, 3);
    expect([counts(channel, 3, 3), nextChange(channel, 5)]).toEqual([[2, 2, 2], null]);
    setGate(channel, true, 20);
    expect([wave(channel, 20, 4), counts(channel, 20, 3)]).toEqual(['__--', [2, 1, 0]]);
  });

  it('makes the output high in modes 2 and 3, and starts the count anew', () => {
    const channel = counting(2, 3);
    setGate(channel, false, 3);
    expect(wave(channel, 3, 6)).toBe('------');
    setGate(channel, true, 9);
    expect(wave(channel, 9, 8)).toBe('---_--_-');
  });

  it('that is low when the count is written lets it wait', () => {
    const [mode0, mode3] = [counting(0, 2, { gate: false }), counting(3, 2, { gate: false })];
    expect([wave(mode0, 0, 6), wave(mode3, 0, 6)]).toEqual(['______', '------']);
    setGate(mode0, true, 6);
    setGate(mode3, true, 6);
    expect([wave(mode0, 6, 4), wave(mode3, 6, 6)]).toEqual(['__--', '--_-_-']);
  });
});

describe('a count', () => {
  it('is loaded with the tick after it was written, and wraps in modes that do not repeat', () => {
    const channel = counting(0, 3);
    expect(counts(channel, 1, 6)).toEqual([3, 2, 1, 0, 0xff, 0xfe]);
  });

  it('goes by two in mode 3', () => {
    expect(counts(counting(3, 6), 1, 7)).toEqual([6, 4, 2, 6, 4, 2, 6]);
    expect(counts(counting(3, 5), 1, 6)).toEqual([4, 2, 0, 4, 2, 4]);
  });

  it('replaces the one that repeats at its end, in mode 3 after half of it', () => {
    const [mode2, mode3] = [counting(2, 4), counting(3, 8)];
    writeCount(mode2, 2, 6);
    writeCount(mode3, 4, 2);
    expect([wave(mode2, 1, 12), wave(mode3, 1, 14)]).toEqual(['---_---_-_-_', '----__--__--__']);
  });

  it('of two bytes stops mode 0 with the first one, and is 65,536 for 0', () => {
    const channel = unprogrammed();
    writeControl(channel, WORD);
    writeCount(channel, 0, 0);
    writeCount(channel, 0, 0);
    expect(nextChange(channel, 0)).toBe(65_537);
    writeCount(channel, 5, 70_000);
    expect([outputAt(channel, 70_000), nextChange(channel, 70_000)]).toEqual([false, null]);
    writeCount(channel, 0, 70_010);
    expect(nextChange(channel, 70_010)).toBe(70_016);
  });

  it('counts in four decimal digits when it is told to', () => {
    const channel = unprogrammed();
    writeControl(channel, WORD | (2 << 1) | 1);
    writeCount(channel, 0x00, 0);
    writeCount(channel, 0x10, 0); // 1000
    latchCount(channel, 2);
    expect([readCount(channel, 9), readCount(channel, 9)]).toEqual([0x99, 0x09]);
    expect(nextChange(channel, 1)).toBe(1000);
  });
});

describe('reading a counter', () => {
  it('sees low and high byte in turn, and a latched count until both are read', () => {
    const channel = unprogrammed();
    writeControl(channel, WORD | (2 << 1));
    writeCount(channel, 0x34, 0);
    writeCount(channel, 0x12, 0);
    latchCount(channel, 1);
    latchCount(channel, 5); // ignored: one is latched
    expect([readCount(channel, 9), readCount(channel, 9)]).toEqual([0x34, 0x12]);
    expect([readCount(channel, 0x35), readCount(channel, 0x35)]).toEqual([0x00, 0x12]);
  });

  it('sees latched status before the count: output, null count, control word', () => {
    const channel = counting(3, 8);
    latchStatus(channel, 0);
    expect(readCount(channel, 0)).toBe(0x80 | 0x40 | LOW_BYTE | (3 << 1));
    latchStatus(channel, 6);
    latchCount(channel, 6);
    expect([readCount(channel, 6), readCount(channel, 7)]).toEqual([LOW_BYTE | (3 << 1), 6]);
    writeCount(channel, 10, 7);
    latchStatus(channel, 8);
    expect(readCount(channel, 8) & 0x40).toBe(0x40);
    latchStatus(channel, 9); // the low half is over
    expect(readCount(channel, 9) & 0x40).toBe(0);
  });
});
