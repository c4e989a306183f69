// What a fetched instruction of a warm loop costs: recorded (log and trace writer to memory), not recorded, and with the
// memory accesses observed by numa. Beside them a loop of plain JavaScript, so that the figures of two computers compare.
import { createMachine, type Machine, memorySink, type Plugin, rawImage, recordMachine } from '@retrovisor/core';
import { fitMachine, numa, XEON_8360Y } from '@retrovisor/numa';
import { LOOPS, type Loop } from './loops.js';
import { amount, type Contestant, type Effort, measure } from './measure.js';
import type { Row, Section } from './report.js';

const GOAL_NANOSECONDS = 100;
const MEMORY_BYTES = 16 * 2 ** 20;
const STEPS = 2_000_000;

/** A machine that stands at the beginning of a loop. */
export function machineInLoop(
  { code, registers }: Loop,
  plugins: readonly Plugin[] = [],
  memory = MEMORY_BYTES,
): Machine {
  const boot = rawImage({ bytes: Uint8Array.from(code), mode: 'long', load: 0x10_0000 });
  const machine = createMachine<readonly Plugin[]>({ profile: 'intel-server', boot, memory, plugins });
  for (const [register, value] of Object.entries(registers)) machine.processor(0).set(register, value);
  return machine;
}

type Way = 'recorded' | 'not recorded' | 'observed by numa';

function contestant(effort: Effort, loop: Loop, way: Way): Contestant {
  const topology = fitMachine(XEON_8360Y, { processors: 1, memoryBytes: MEMORY_BYTES });
  return {
    name: `${loop.name}, ${way}`,
    prepare: () => {
      const machine = machineInLoop(loop, way === 'observed by numa' ? [numa(topology)] : []);
      const steps = amount(effort, STEPS);
      machine.run({ maxSteps: amount(effort, 50_000) });
      const recording = way === 'recorded' ? recordMachine(machine, memorySink()) : undefined;
      return () => {
        const ran = machine.run({ maxSteps: steps });
        recording?.close();
        if (ran.steps !== steps) throw new RangeError(`${loop.name} stopped after ${ran.steps} steps`);
        return steps;
      };
    },
  };
}

/** An xor-and-shift generator on 32-bit integers: what the engine makes of a loop that it understands wholly. */
const plainJavaScript: Contestant = {
  name: 'plain JavaScript: an iteration of xor-and-shift',
  prepare: () => () => {
    const iterations = 5_000_000;
    let value = 1;
    for (let index = 0; index < iterations; index++) {
      value ^= value << 13;
      value ^= value >>> 17;
      value ^= value << 5;
    }
    if (value === 0) throw new RangeError('xor-and-shift never becomes 0');
    return iterations;
  },
};

/** Nanoseconds an instruction. */
export function fetched(effort: Effort): Section {
  const ways: readonly Way[] = ['recorded', 'not recorded', 'observed by numa'];
  const contestants = LOOPS.flatMap((loop) => ways.map((way) => contestant(effort, loop, way)));
  const times = measure(effort, [...contestants, plainJavaScript]);
  const plain = times.get(plainJavaScript.name) ?? Number.NaN;
  const rows = [...times].map(([name, time]): Row => {
    if (name === plainJavaScript.name) return { name, value: time, unit: 'ns' };
    const mips = 1000 / time;
    const row: Row = {
      name,
      value: time,
      unit: `ns (${mips.toFixed(1)} MIPS)`,
      ratios: { '× plain JavaScript': plain / time },
    };
    return name.endsWith(', recorded') ? { ...row, goals: [{ text: '100 ns', met: time <= GOAL_NANOSECONDS }] } : row;
  });
  return { title: 'A fetched instruction of a warm loop', rows };
}
