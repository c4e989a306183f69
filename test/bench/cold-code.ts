// Cold code: a guest of many different blocks that runs each of them once. What may be compiled later must not make it dearer
// now: every block is counted, looked up and bound to its page for nothing.
import { createMachine, type Machine, rawImage } from '@retrovisor/core';
import { amount, type Contestant, type Effort, measure } from './measure.js';
import type { Section } from './report.js';

const BLOCKS = 200_000;
/** To decode so much takes long. */
const ROUNDS = 2;
/** Of the time without the compiler. */
const MOST_TIME = 1.1;
const MEMORY_BYTES = 16 * 2 ** 20;
const [LOAD, DATA] = [0x10_0000, 0xc0_0000];
const INSTRUCTIONS_PER_BLOCK = 5;
/** In 64-bit mode with registers of 32 bits: ADD, OR, AND, SUB, XOR, then loads and stores at [RDI + disp32]. */
const REGISTER_FORMS = [0x01, 0x09, 0x21, 0x29, 0x31];
const MEMORY_FORMS = [0x89, 0x8b, 0x03];
/** EAX, ECX, EDX, EBX: RDI points to the data. */
const REGISTERS = 4;
const DATA_DOUBLEWORDS = 0x4000;

/** Different blocks, each of which jumps to the next one; the last one is followed by CLI and HLT. */
function coldCode(blocks: number): Uint8Array {
  const bytes: number[] = [0xbf, ...littleEndian(DATA)]; // MOV EDI, data
  let seed = 1;
  const below = (limit: number): number => {
    seed = (seed * 48_271) % 0x7fff_ffff;
    return seed % limit;
  };
  for (let block = 0; block < blocks; block++) {
    bytes.push(0x05, ...littleEndian(block)); // ADD EAX, imm32: no two blocks are the same
    for (let index = 2; index < INSTRUCTIONS_PER_BLOCK; index++) {
      const [left, right] = [below(REGISTERS), below(REGISTERS)];
      if (below(3) > 0) bytes.push(REGISTER_FORMS[below(REGISTER_FORMS.length)] as number, 0xc0 | (left << 3) | right);
      else {
        const form = MEMORY_FORMS[below(MEMORY_FORMS.length)] as number;
        bytes.push(form, 0x87 | (left << 3), ...littleEndian(below(DATA_DOUBLEWORDS) * 4));
      }
    }
    bytes.push(0xeb, 0); // JMP to what follows
  }
  bytes.push(0xfa, 0xf4); // CLI; HLT
  return Uint8Array.from(bytes);
}

function littleEndian(value: number): readonly number[] {
  return [0, 8, 16, 24].map((shift) => (value >>> shift) & 255);
}

function contestant(blocks: number, code: Uint8Array, compile: false | undefined): Contestant {
  return {
    name: compile === false ? 'the reference path alone' : 'as machines come',
    prepare: () => {
      const machine = coldMachine(code, compile);
      const steps = blocks * INSTRUCTIONS_PER_BLOCK + 3;
      return () => {
        const ran = machine.run({ maxSteps: steps * 2 });
        machine.close();
        if (ran.steps !== steps) throw new RangeError(`${ran.steps} steps of cold code instead of ${steps}`);
        return blocks;
      };
    },
  };
}

function coldMachine(code: Uint8Array, compile: false | undefined): Machine {
  const boot = rawImage({ bytes: code, mode: 'long', load: LOAD });
  return createMachine({
    profile: 'intel-server',
    memory: MEMORY_BYTES,
    boot,
    ...(compile === undefined ? {} : { compile }),
  });
}

/** Microseconds a block. */
export function coldCodeSection(effort: Effort): Section {
  const blocks = amount(effort, BLOCKS);
  const code = coldCode(blocks);
  const times = measure({ ...effort, rounds: Math.min(effort.rounds, ROUNDS) }, [
    contestant(blocks, code, undefined),
    contestant(blocks, code, false),
  ]);
  const [usual = Number.NaN, reference = Number.NaN] = times.values();
  return {
    title: `Cold code: ${blocks.toLocaleString('en-US')} different blocks, each run once`,
    rows: [
      {
        name: 'as machines come',
        value: usual / 1000,
        unit: 'µs',
        ratios: { '× the speed of the reference path': reference / usual },
        goals: [{ text: `${MOST_TIME} × the time of the reference path`, met: usual <= MOST_TIME * reference }],
      },
      { name: 'the reference path alone', value: reference / 1000, unit: 'µs' },
    ],
  };
}
