// Random programs: instructions with branches among them, for ever. A program is a list of numbers, each of which stands for
// an item whatever the others are: so fast-check shortens one that fails by leaving numbers out.
import fc from 'fast-check';
import { Random } from '../fuzz/random.js';
import { doubleword, randomInstruction } from './instructions.js';
import { CODE, OTHER_CODE, PLACES, RESUME_TABLE, STACK } from './layout.js';

/** A program before it is encoded. */
export interface Program {
  readonly mode64: boolean;
  readonly items: readonly number[];
  /** Registers, places and the rest. */
  readonly seed: number;
}

/** Bytes at an address of physical memory. */
interface Piece {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** What a machine gets. */
export interface Encoded {
  readonly pieces: readonly Piece[];
  readonly registers: readonly (readonly [name: string, value: bigint])[];
  readonly steps: number;
}

const anyNumber = fc.integer({ min: 0, max: 0x7fff_ffff });

/** The arbitrary of programs. */
export const programs: fc.Arbitrary<Program> = fc.record({
  mode64: fc.boolean(),
  items: fc.array(anyNumber, { minLength: 2, maxLength: 18, size: 'max' }),
  seed: anyNumber,
});

type Branch = (random: Random, distance: number, target: number) => readonly number[];
const relative = (opcode: readonly number[], distance: number): readonly number[] => [
  ...opcode,
  ...doubleword(distance - opcode.length - 4),
];

/** Branches by how far it is from their beginning, of the same length for any distance. */
const BRANCHES: readonly Branch[] = [
  ...Array.from({ length: 6 }, (): Branch => (random, distance) => relative([0x0f, 0x80 + random.below(16)], distance)),
  (_random, distance) => relative([0xe9], distance),
  (_random, distance) => relative([0xe8], distance),
  // DEC ECX; JNZ
  (_random, distance) => relative([0xff, 0xc9, 0x0f, 0x85], distance),
  (_random, distance) => relative([0xff, 0xc9, 0x0f, 0x85], distance),
  // LOOP, LOOPE, LOOPNE, JECXZ over the jump that follows: to the target if not taken
  (random, distance) => [0xe0 + random.below(4), 5, ...relative([0xe9], distance - 2)],
  // MOV EAX, target; JMP RAX or CALL RAX
  (random, _distance, target) => [0xb8, ...doubleword(target), 0xff, random.oneIn(2) ? 0xe0 : 0xd0],
  // TEST AL, imm8; JZ
  (random, distance) => [0xa8, 1 << random.below(8), ...relative([0x0f, 0x84], distance - 2)],
  () => [0xc3],
  () => [0xc2, 8, 0],
];

interface Item {
  readonly at: number;
  readonly bytes: (starts: readonly number[]) => readonly number[];
  readonly length: number;
}

/** Where a program begins in its two pages: mostly at the front, now and then across the boundary. */
const OFFSETS = [0, 0, 0, 0x7f3, 0xfc5, 0xff3] as const;
const ONE_IN_BRANCHES = 4;

/** The bytes of a program and what its registers hold. */
export function encode({ mode64, items: numbers, seed }: Program): Encoded {
  const random = new Random(seed);
  const offset = random.pick(OFFSETS);
  const items: Item[] = [];
  let at = CODE + offset;
  for (const number of numbers) {
    const bytes = itemBytes(number, at, mode64);
    const { length } = bytes([at]);
    items.push({ at, bytes, length });
    at += length;
  }
  const starts = items.map((item) => item.at);
  const code = [...items.flatMap(({ bytes }) => bytes(starts)), ...relative([0xe9], CODE + offset - at)];
  return {
    pieces: [
      { address: CODE + offset, bytes: Uint8Array.from(code) },
      { address: OTHER_CODE + offset, bytes: otherVersion(code, items, CODE + offset, random) },
      { address: RESUME_TABLE, bytes: addresses(starts, 16, 8) },
      { address: STACK, bytes: addresses(starts, 24, mode64 ? 8 : 4) },
    ],
    registers: registersOf(random, mode64, CODE + offset),
    steps: 60 + random.below(340),
  };
}

function itemBytes(number: number, at: number, mode64: boolean): Item['bytes'] {
  const random = new Random(number);
  if (!random.oneIn(ONE_IN_BRANCHES)) {
    const bytes = randomInstruction(random, mode64);
    return () => bytes;
  }
  const branch = random.pick(BRANCHES);
  const [to, inside] = [random.below(1000), random.byte()];
  return (starts) => {
    const target = starts[to % starts.length] as number;
    return branch(new Random(inside), target - at, target);
  };
}

/** The same with one item replaced by NOP: what stands there is other code, and what follows is not. */
function otherVersion(code: readonly number[], items: readonly Item[], start: number, random: Random): Uint8Array {
  const bytes = Uint8Array.from(code);
  const { at, length } = random.pick(items);
  return bytes.fill(0x90, at - start, at - start + length);
}

function addresses(starts: readonly number[], count: number, width: number): Uint8Array {
  const bytes = new Uint8Array(count * width);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < count; index++)
    view.setUint32(index * width, starts[(index * 5) % starts.length] ?? 0, true);
  return bytes;
}

const POINTERS = ['RBX', 'RSI', 'RDI', 'RBP'] as const;

function registersOf(random: Random, mode64: boolean, entry: number): Encoded['registers'] {
  const place = (): bigint => BigInt(random.pick(PLACES) - random.below(17));
  const value = (): bigint => (mode64 ? random.bits64() : random.bits64() & 0xffff_ffffn);
  const high = mode64
    ? (['R10', 'R11', 'R12', 'R13', 'R14', 'R15'] as const).map((name) => [name, value()] as const)
    : [];
  return [
    ['RIP', BigInt(entry)],
    ['RSP', BigInt(STACK)],
    ['RAX', value()],
    ['RCX', BigInt(1 + random.below(30))],
    ['RDX', value()],
    ...POINTERS.map((name) => [name, place()] as const),
    ...(mode64
      ? ([
          ['R8', place()],
          ['R9', place()],
        ] as const)
      : []),
    ...high,
    ...Array.from({ length: 8 }, (_, index) => [`XMM${index}`, (random.bits64() << 64n) | random.bits64()] as const),
  ];
}
