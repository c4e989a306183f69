// Sealing costs what changed, not what exists: 1, 100 and 10,000 dirty frames of machines of 64 MiB and 1 GiB that hold
// the same amount of other memory, beside the bare copies of so many frames.
import { createMachine, longMode, type Machine } from '@retrovisor/core';
import { amount, type Contestant, type Effort, measure } from './measure.js';
import type { Row, Section } from './report.js';

const FRAME_BYTES = 4096;
const MIB = 2 ** 20;
const FIRST = 16 * MIB;
const USED_FRAMES = 10_000;
const SIZES = { '64 MiB': 64 * MIB, '1 GiB': 1024 * MIB } as const;

/** Each of the frames gets bytes that it did not have before. */
function dirty(machine: Machine, frames: number, round: number): void {
  const byte = Uint8Array.of(1 + (round % 255));
  for (let frame = 0; frame < frames; frame++) machine.writeMemory(FIRST + frame * FRAME_BYTES, byte);
}

function contestant(size: keyof typeof SIZES, frames: number, used: number): Contestant {
  const machine = createMachine({ profile: 'intel-server', boot: longMode(), memory: SIZES[size] });
  dirty(machine, used, 254);
  void machine.state;
  let round = 0;
  return {
    name: nameOf(size, frames),
    prepare: () => {
      dirty(machine, frames, round++);
      return () => {
        void machine.state;
        return 1;
      };
    },
  };
}

const nameOf = (size: string, frames: number) => `${frames.toLocaleString('en-US')} dirty frames of ${size}`;

function copies(frames: number): Contestant {
  const source = new Uint8Array(frames * FRAME_BYTES).fill(7);
  return {
    name: `copying ${frames.toLocaleString('en-US')} frames`,
    prepare: () => () => {
      const kept: Uint8Array[] = [];
      for (let frame = 0; frame < frames; frame++)
        kept.push(source.slice(frame * FRAME_BYTES, (frame + 1) * FRAME_BYTES));
      return kept.length > 0 ? 1 : 0;
    },
  };
}

/** Microseconds a seal. Each number of frames is measured by itself: 40 MB of copies would slow the others down. */
export function sealing(effort: Effort): Section {
  const used = amount(effort, USED_FRAMES);
  const counts = effort.scale < 1 ? [1, used] : [1, 100, USED_FRAMES];
  return { title: 'Sealing', rows: counts.flatMap((frames) => rowsFor(effort, frames, used)) };
}

function rowsFor(effort: Effort, frames: number, used: number): readonly Row[] {
  const rounds = effort.rounds === 1 ? 1 : Math.max(effort.rounds, Math.min(200, 20_000 / frames));
  const contestants = [contestant('64 MiB', frames, used), contestant('1 GiB', frames, used), copies(frames)];
  const [small = Number.NaN, large = Number.NaN, copy = Number.NaN] = measure(
    { ...effort, rounds },
    contestants,
  ).values();
  const ratios = { '× the speed in 64 MiB': small / large, '× the speed of copying': copy / large };
  return [
    { name: nameOf('64 MiB', frames), value: small / 1000, unit: 'µs' },
    { name: nameOf('1 GiB', frames), value: large / 1000, unit: 'µs', ratios },
    { name: `copying ${frames.toLocaleString('en-US')} frames`, value: copy / 1000, unit: 'µs' },
  ];
}
