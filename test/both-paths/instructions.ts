// Random instructions of the kinds that code is generated for, and of some that the reference path executes in the middle
// of a region: a row each, with the operands that it takes. Operands are drawn so that most accesses reach the data pages.
import type { Random } from '../fuzz/random.js';
import { CODE, PLACES, TABLE_EDITS, VIEW_OF_CODE } from './layout.js';

type Size = 8 | 16 | 32 | 64;
/** What ModR/M may name beside the register. */
type Operand = 'any' | 'memory' | 'register';

/** Instructions with a ModR/M byte. */
interface Row {
  readonly opcode: readonly number[];
  /** One of the list is drawn; behind it stand the size prefix and REX. */
  readonly prefixes?: readonly number[];
  readonly sizes?: readonly Size[];
  readonly operand?: Operand;
  /** Opcode extensions in place of a register. */
  readonly digits?: readonly number[];
  /** 1: one byte; `size`: as long as the operand, 4 at most. */
  readonly immediate?: 1 | 'size';
  readonly vector?: boolean;
}

const WIDE: readonly Size[] = [16, 32, 32, 64, 64];
const LONG: readonly Size[] = [32, 64];
const ALL_DIGITS = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const range = (first: number, count: number, step = 1): readonly number[] =>
  Array.from({ length: count }, (_, index) => first + index * step);
const byteRow = (opcode: number, rest: Partial<Row> = {}): Row => ({ opcode: [opcode], sizes: [8], ...rest });
const wideRow = (opcode: number, rest: Partial<Row> = {}): Row => ({ opcode: [opcode], sizes: WIDE, ...rest });
const escaped = (opcode: number, rest: Partial<Row> = {}): Row => ({ opcode: [0x0f, opcode], sizes: WIDE, ...rest });

const ARITHMETIC: readonly Row[] = [
  ...range(0, 8, 8).flatMap((first) => [byteRow(first), wideRow(first + 1), byteRow(first + 2), wideRow(first + 3)]),
  wideRow(0x83, { digits: ALL_DIGITS, immediate: 1 }),
  wideRow(0x81, { digits: ALL_DIGITS, immediate: 'size' }),
  byteRow(0x80, { digits: ALL_DIGITS, immediate: 1 }),
  wideRow(0x85),
  byteRow(0x84),
  wideRow(0xff, { digits: [0, 1] }),
  byteRow(0xfe, { digits: [0, 1] }),
  wideRow(0xf7, { digits: [2, 3, 4, 5, 6, 7] }),
  byteRow(0xf6, { digits: [2, 3, 4, 5, 6, 7] }),
  escaped(0xaf),
  wideRow(0x69, { immediate: 'size' }),
  wideRow(0x6b, { immediate: 1 }),
];
const SHIFTS: readonly Row[] = [
  wideRow(0xc1, { digits: ALL_DIGITS, immediate: 1 }),
  byteRow(0xc0, { digits: ALL_DIGITS, immediate: 1 }),
  wideRow(0xd1, { digits: ALL_DIGITS }),
  wideRow(0xd3, { digits: ALL_DIGITS }),
  byteRow(0xd2, { digits: ALL_DIGITS }),
  ...[0xa4, 0xac].map((opcode) => escaped(opcode, { immediate: 1 })),
  ...[0xa5, 0xad].map((opcode) => escaped(opcode)),
];
const BITS: readonly Row[] = [
  ...[0xa3, 0xab, 0xb3, 0xbb].map((opcode) => escaped(opcode, { operand: 'register' })),
  escaped(0xba, { digits: [4, 5, 6, 7], immediate: 1 }),
  ...[0xbc, 0xbd].flatMap((opcode) => [escaped(opcode), escaped(opcode, { prefixes: [0xf3] })]),
  escaped(0xb8, { prefixes: [0xf3] }),
  ...range(0x90, 16).map((opcode): Row => ({ opcode: [0x0f, opcode], sizes: [8], digits: [0] })),
  ...range(0x40, 16).map((opcode) => escaped(opcode)),
  ...[0xf0, 0xf1].map((opcode): Row => ({ opcode: [0x0f, 0x38, opcode], sizes: WIDE, operand: 'memory' })),
  ...[0x66, 0xf3].map((prefix): Row => ({ opcode: [0x0f, 0x38, 0xf6], prefixes: [prefix], sizes: LONG })),
];
const MOVES: readonly Row[] = [
  ...[0x89, 0x8b, 0x87].map((opcode) => wideRow(opcode)),
  ...[0x88, 0x8a, 0x86].map((opcode) => byteRow(opcode)),
  wideRow(0x8b, { operand: 'memory' }),
  wideRow(0x89, { operand: 'memory' }),
  wideRow(0x8d, { operand: 'memory' }),
  wideRow(0xc7, { digits: [0], immediate: 'size' }),
  byteRow(0xc6, { digits: [0], immediate: 1 }),
  ...[0xb6, 0xb7, 0xbe, 0xbf].map((opcode) => escaped(opcode)),
  escaped(0xc1),
  escaped(0xb1),
  { opcode: [0x0f, 0xc0], sizes: [8] },
  { opcode: [0x0f, 0xb0], sizes: [8] },
  { opcode: [0x0f, 0xc7], sizes: LONG, digits: [1], operand: 'memory' },
  { opcode: [0xff], digits: [6], operand: 'memory' },
  { opcode: [0x8f], digits: [0], operand: 'memory' },
];
const LOCKED: readonly Row[] = [0x01, 0x11, 0x29, 0x31, 0x87].map((opcode) =>
  wideRow(opcode, { prefixes: [0xf0], operand: 'memory' }),
);
const vector = (opcode: number, prefixes: readonly number[], rest: Partial<Row> = {}): Row => ({
  opcode: [0x0f, opcode],
  prefixes,
  vector: true,
  ...rest,
});
const VECTORS: readonly Row[] = [
  ...[0x10, 0x11].map((opcode) => vector(opcode, [0, 0x66, 0xf2, 0xf3])),
  ...[0x28, 0x29].map((opcode) => vector(opcode, [0, 0x66])),
  ...[0x6f, 0x7f].map((opcode) => vector(opcode, [0x66, 0xf3])),
  ...[0x6e, 0x7e].map((opcode) => vector(opcode, [0x66], { sizes: LONG })),
  vector(0x7e, [0xf3]),
  vector(0xd6, [0x66]),
  ...[0x60, 0x62, 0x64, 0x67, 0x6a, 0x6c, 0x74, 0x76, 0xd4, 0xd5, 0xda, 0xdb, 0xdd, 0xde, 0xe5, 0xeb, 0xef].map(
    (opcode) => vector(opcode, [0x66]),
  ),
  ...[0xf4, 0xf5, 0xf6, 0xf8, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe].map((opcode) => vector(opcode, [0x66])),
  vector(0x70, [0x66, 0xf2, 0xf3], { immediate: 1 }),
  vector(0xc6, [0, 0x66], { immediate: 1 }),
  ...[0x71, 0x72].map((opcode) => vector(opcode, [0x66], { digits: [2, 4, 6], operand: 'register', immediate: 1 })),
  vector(0x73, [0x66], { digits: [2, 3, 6, 7], operand: 'register', immediate: 1 }),
  vector(0xd7, [0x66], { operand: 'register' }),
  vector(0x50, [0, 0x66], { operand: 'register' }),
  ...[0x54, 0x55, 0x56, 0x57, 0x14, 0x15].map((opcode) => vector(opcode, [0, 0x66])),
  ...[0x51, 0x58, 0x59, 0x5c, 0x5d, 0x5e, 0x5f].map((opcode) => vector(opcode, [0, 0x66, 0xf2, 0xf3])),
  ...[0x2e, 0x2f].map((opcode) => vector(opcode, [0, 0x66])),
  ...[0x2a, 0x2c, 0x2d].map((opcode) => vector(opcode, [0xf2, 0xf3], { sizes: LONG })),
];

/** Whole instructions without a ModR/M byte; a size prefix or REX.W may stand before them. */
const PLAIN: readonly (readonly number[])[] = [
  ...[0x98, 0x99, 0x9e, 0x9f, 0xf5, 0xf8, 0xf9, 0xfc, 0xfd, 0xd7, 0xc9, 0x9c, 0x9d, 0x90].map((opcode) => [opcode]),
  ...range(0x50, 3).map((opcode) => [opcode]),
  ...range(0x58, 3).map((opcode) => [opcode]),
  ...range(0xc8, 4).map((opcode) => [0x0f, opcode]),
  ...range(0x91, 2).map((opcode) => [opcode]),
  [0x6a, 0x7f],
  [0x0f, 0xa2], // CPUID
  [0x0f, 0x31], // RDTSC
];
const STRINGS = [0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf] as const;
const REPEATS: readonly (readonly number[])[] = [[], [0xf3], [0xf2], [0xf3]];

/** One instruction, or a few that belong together. */
export function randomInstruction(random: Random, mode64: boolean): readonly number[] {
  const kind = random.below(100);
  if (kind < 25) return modRmInstruction(random, mode64, random.pick(ARITHMETIC));
  if (kind < 35) return modRmInstruction(random, mode64, random.pick(SHIFTS));
  if (kind < 46) return modRmInstruction(random, mode64, random.pick(BITS));
  if (kind < 64) return modRmInstruction(random, mode64, random.pick(MOVES));
  if (kind < 66) return modRmInstruction(random, mode64, random.pick(LOCKED));
  if (kind < 77) return modRmInstruction(random, mode64, random.pick(VECTORS));
  if (kind < 84) return [...sizePrefix(random.pick(WIDE), mode64), ...random.pick(PLAIN)];
  if (kind < 90) return stringInstruction(random, mode64);
  if (kind < 94) return constant(random, mode64);
  if (kind < 98) return storeToCode(random);
  return tableEdit(random, mode64);
}

const REX_W = 0x48;
const sizePrefix = (size: Size, mode64: boolean): readonly number[] =>
  size === 16 ? [0x66] : size === 64 && mode64 ? [REX_W] : [];

function modRmInstruction(random: Random, mode64: boolean, row: Row): readonly number[] {
  const size = row.sizes === undefined ? 32 : random.pick(row.sizes);
  const prefix = row.prefixes === undefined ? 0 : random.pick(row.prefixes);
  const high = mode64 && random.oneIn(3);
  const { modRm, extended } = operandBytes(random, mode64, row, high);
  const rex = mode64 ? (size === 64 ? 8 : 0) | (high && row.digits === undefined ? 4 : 0) | (extended ? 1 : 0) : 0;
  return [
    ...(size === 16 ? [0x66] : []),
    ...(prefix === 0 ? [] : [prefix]),
    ...(rex === 0 ? [] : [0x40 | rex]),
    ...row.opcode,
    ...modRm,
    ...random.bytes(immediateBytes(row, size)),
  ];
}

function immediateBytes({ immediate }: Row, size: Size): number {
  return immediate === undefined ? 0 : immediate === 1 ? 1 : Math.min(size, 32) / 8;
}

/** RAX, RCX, RDX: the others hold pointers, which a program should not lose at once. */
const VALUES = [0, 0, 1, 2, 2] as const;
/** Also as R8 and the following, of which R8 and R9 hold pointers. */
const HIGH_VALUES = [2, 3, 4, 5, 6, 7] as const;

function operandBytes(
  random: Random,
  mode64: boolean,
  { operand = 'any', digits, vector: isVector = false }: Row,
  high: boolean,
): { readonly modRm: readonly number[]; readonly extended: boolean } {
  const anyRegister = isVector || random.oneIn(40);
  const reg = digits === undefined ? registerNumber(random, anyRegister, high) : random.pick(digits);
  const isRegister = operand === 'register' || (operand === 'any' && random.oneIn(2));
  if (isRegister) {
    const extended = mode64 && random.oneIn(3);
    return { modRm: [0xc0 | (reg << 3) | registerNumber(random, anyRegister, extended)], extended };
  }
  return memoryBytes(random, mode64, reg);
}

function registerNumber(random: Random, any: boolean, high: boolean): number {
  return any ? random.below(8) : random.pick(high ? HIGH_VALUES : VALUES);
}

/** EBX, ESI, EDI, EBP, as layout.ts sets them. */
const BASES = [3, 3, 6, 7, 5] as const;
const DISPLACEMENTS = [0, 0, 1, 4, 8, 0x10, 0x33, 0x7c, 0xf8] as const;
const [DISP8, DISP32, SIB, ABSOLUTE] = [0x40, 0x80, 4, 0x25];

function memoryBytes(random: Random, mode64: boolean, reg: number) {
  const displacement = random.pick(DISPLACEMENTS);
  const field = reg << 3;
  switch (random.below(8)) {
    case 0: // [RSP + disp8]
      return { modRm: [DISP8 | field | SIB, 0x24, displacement & 0x7f], extended: false };
    case 1: // [base + RAX * scale + disp8]: seldom where memory is
      return {
        modRm: [DISP8 | field | SIB, (random.below(4) << 6) | random.pick(BASES), displacement],
        extended: false,
      };
    case 2: // [disp32]
      return { modRm: [field | SIB, ABSOLUTE, ...doubleword(random.pick(PLACES) - random.below(9))], extended: false };
    case 3: // [R8 + disp32] and [R9 + disp32]
      if (mode64) return { modRm: [DISP32 | field | random.below(2), ...doubleword(displacement)], extended: true };
      break;
    default:
  }
  return { modRm: [DISP8 | field | random.pick(BASES), displacement], extended: false };
}

/** The bytes of a doubleword. */
export const doubleword = (value: number): readonly number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);

/** Mostly with a count before it that goes over the end of a page now and then. */
function stringInstruction(random: Random, mode64: boolean): readonly number[] {
  const count = random.oneIn(3) ? [] : [0xb9, ...doubleword(random.below(24))];
  const size = random.pick(WIDE);
  const operandSize = size === 16 ? [0x66] : [];
  const rex = size === 64 && mode64 ? [REX_W] : [];
  return [...count, ...operandSize, ...random.pick(REPEATS), ...rex, random.pick(STRINGS)];
}

/** A register gets a place in memory, a small number, or anything. Pointers are renewed so that a program keeps some. */
function constant(random: Random, mode64: boolean): readonly number[] {
  const isPointer = random.oneIn(2);
  const register = isPointer ? random.pick([3, 6, 7, 5]) : random.pick([0, 1, 2]);
  const value = isPointer ? random.pick(PLACES) - random.below(17) : Number(random.bits64() & 0xffff_ffffn);
  if (mode64 && !isPointer && random.oneIn(2)) return [REX_W, 0xb8 + register, ...random.bytes(8)];
  return [0xb8 + register, ...doubleword(value)];
}

const TELLING_BYTES = [0x90, 0x90, 0x40, 0x00, 0x03, 0xc3, 0xeb, 0x74] as const;

/** MOV BYTE [code + offset], imm8, through one of the two addresses of the code; or a doubleword or an increment there. */
function storeToCode(random: Random): readonly number[] {
  const address = doubleword(
    (random.oneIn(2) ? CODE : VIEW_OF_CODE) + random.below(160) + (random.oneIn(2) ? 0xfc5 : 0),
  );
  switch (random.below(3)) {
    case 0:
      return [0xc6, 0x04, 0x25, ...address, random.pick(TELLING_BYTES)];
    case 1:
      return [0xfe, 0x04, 0x25, ...address]; // INC
    default:
      return [0x66, 0xc7, 0x04, 0x25, ...address, 0xff, 0xc0]; // INC EAX as a word
  }
}

/** MOV DWORD [page-table entry], imm32. */
function tableEdit(random: Random, mode64: boolean): readonly number[] {
  const { address, entries } = random.pick(TABLE_EDITS);
  return [0xc7, 0x04, 0x25, ...doubleword(address(mode64)), ...doubleword(random.pick(entries))];
}
