// Encodings of random but plausible instructions, a row each: what 64-bit code of a small kernel consists of, its faults
// included. Operands are drawn so that loads and stores often hit data, page tables and the code itself.
import fc from 'fast-check';
import type { Kind } from './machine-plan.js';

/** One instruction, or a few that belong together. */
export type Unit = readonly number[];

const register = fc.nat(7);
const byte = fc.nat(255);
/** REX.W, no prefix, an operand-size prefix: 64, 32 and 16 bits. */
const size = fc.constantFrom<Unit>([0x48], [], [0x66]);

/** The pointers that programs hold: RBX and RSI into data, RDI to the end of a page, RBP to page tables, R8 to the code. */
export const POINTERS = {
  data: 0x40_0000,
  edge: 0x40_1ffc,
  tables: 0x3000,
  code: 0x10_0000,
  smallPages: 0x9000,
} as const;

/** ModR/M for [base + disp8]; RSP and R12 as base would need a SIB byte. */
const memory = fc
  .tuple(fc.constantFrom(3, 3, 3, 5, 6, 7), fc.constantFrom(0, 0, 8, 0x10, 0x3c, 0x80))
  .map(([base, displacement]) => ({ base, displacement }));
const modRm = (mod: number, reg: number, rm: number): number => (mod << 6) | (reg << 3) | rm;

const registerForm = (opcodes: readonly number[]) =>
  fc
    .tuple(size, fc.constantFrom(...opcodes), register, register)
    .map(([prefix, opcode, reg, rm]): Unit => [...prefix, opcode, modRm(3, reg, rm)]);
const memoryForm = (opcodes: readonly number[], before: Unit = []) =>
  fc
    .tuple(size, fc.constantFrom(...opcodes), register, memory)
    .map(
      ([prefix, opcode, reg, { base, displacement }]): Unit => [
        ...prefix,
        ...before,
        opcode,
        modRm(1, reg, base),
        displacement,
      ],
    );
const fixed = (...units: readonly Unit[]) => fc.constantFrom(...units);

/** ADD, OR, ADC, SBB, AND, SUB, XOR, CMP, XCHG, MOV, TEST with r/m first. */
const TWO_OPERANDS = [0x01, 0x09, 0x11, 0x19, 0x21, 0x29, 0x31, 0x39, 0x85, 0x87, 0x89, 0x00, 0x28, 0x88];
const FROM_MEMORY = [0x03, 0x0b, 0x13, 0x1b, 0x23, 0x2b, 0x33, 0x3b, 0x8b, 0x02, 0x8a];

/** MOV r64, imm64 with a value that is worth having in a register. */
const constants = fc
  .tuple(
    register,
    fc.oneof(
      fc.constantFrom<bigint>(
        0n,
        1n,
        0xffn,
        0x8000_0000n,
        ...Object.values(POINTERS).map(BigInt),
        0x8000_0000_0000n,
        0xffff_ffff_8000_0000n,
        0x40_0000_0000n,
      ),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    ),
  )
  .filter(([reg]) => reg !== 4)
  .map(([reg, value]): Unit => [0x48, 0xb8 + reg, ...littleEndian(value, 8)]);

export function littleEndian(value: bigint, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
}

const arithmetic: fc.Arbitrary<Unit> = fc.oneof(
  registerForm(TWO_OPERANDS),
  registerForm([0x63, 0x8b]),
  fc
    .tuple(fc.nat(7), register, byte)
    .map(([operation, rm, value]): Unit => [0x48, 0x83, modRm(3, operation, rm), value]),
  fc
    .tuple(size, fc.nat(7), register)
    .map(
      ([prefix, operation, rm]): Unit => [
        ...prefix,
        0xf7,
        modRm(3, operation, rm),
        ...(operation < 2 ? littleEndian(0x55n, prefix[0] === 0x66 ? 2 : 4) : []),
      ],
    ),
  fc
    .tuple(size, fc.nat(7), register, byte)
    .map(([prefix, operation, rm, count]): Unit => [...prefix, 0xc1, modRm(3, operation, rm), count]),
  fc
    .tuple(
      size,
      fc.constantFrom(0xaf, 0xb6, 0xb7, 0xbe, 0xbf, 0xbc, 0xbd, 0xa3, 0xab, 0xc1, 0xb1, 0x44, 0x4c),
      register,
      register,
    )
    .map(([prefix, opcode, reg, rm]): Unit => [...prefix, 0x0f, opcode, modRm(3, reg, rm)]),
  fc.tuple(fc.nat(15), register).map(([condition, rm]): Unit => [0x0f, 0x90 + condition, modRm(3, 0, rm)]),
);

const dataMovement: fc.Arbitrary<Unit> = fc.oneof(
  constants,
  memoryForm(TWO_OPERANDS),
  memoryForm(FROM_MEMORY),
  memoryForm([0x8d]),
  memoryForm([0xff]),
  memoryForm([0xc1, 0xb1, 0xab], [0x0f]),
  fc
    .tuple(fc.constantFrom(0x01, 0x29, 0x31), register, memory)
    .map(([opcode, reg, { base, displacement }]): Unit => [0xf0, 0x48, opcode, modRm(1, reg, base), displacement]),
  register.map((reg): Unit => [0x50 + reg]),
  register.map((reg): Unit => [0x58 + reg]),
  fixed([0xfc], [0xfd], [0xf3, 0xa4]),
  fc.nat(40).map((count): Unit => [0xb9, ...littleEndian(BigInt(count), 4)]), // RCX: what REP and LOOP count
);

/** MOV [R8 + disp32], imm8: the program writes itself, now and then a whole instruction (NOP, INC EAX by two bytes). */
const selfModification: fc.Arbitrary<Unit> = fc.oneof(
  fc
    .tuple(fc.nat(600), fc.constantFrom(0x90, 0xf4, 0xc3, 0x48, 0x0f, 0xcc))
    .map(([at, value]): Unit => [0x41, 0xc6, 0x80, ...littleEndian(BigInt(at), 4), value]),
  fc.nat(600).map((at): Unit => [0x66, 0x41, 0xc7, 0x80, ...littleEndian(BigInt(at), 4), 0xff, 0xc0]),
);

const ENTRIES = [
  0n,
  0x40_0087n,
  0x60_0087n,
  0x40_0085n,
  0x40_0083n,
  0x9007n,
  0x8000_0000_0040_0087n,
  0x10_0007n,
  0x40_1007n,
  0x40_1005n,
  0x10_0087n,
];
/** MOV RAX, entry; MOV [table + index * 8], RAX (absolute address); then INVLPG [RBX], a reload of CR3, or an access. */
const pageTableEdit: fc.Arbitrary<Unit> = fc
  .tuple(
    fc.constantFrom(...ENTRIES),
    fc.constantFrom(
      POINTERS.tables + 16,
      POINTERS.tables + 16,
      POINTERS.smallPages,
      POINTERS.smallPages + 8,
      POINTERS.tables,
    ),
    fc.constantFrom<Unit>(
      [],
      [0x0f, 0x01, 0x3b],
      [0x0f, 0x20, 0xd8, 0x0f, 0x22, 0xd8],
      [0x8b, 0x04, 0x25, 0, 0, 0x40, 0],
      [0x89, 0x04, 0x25, 4, 0x10, 0x40, 0],
    ),
  )
  .map(([entry, address, then]) => [
    0x48,
    0xb8,
    ...littleEndian(entry, 8),
    0x48,
    0x89,
    0x04,
    0x25,
    ...littleEndian(BigInt(address), 4),
    ...then,
  ]);

const MSRS = [
  0x10, 0x1b, 0x3a, 0x174, 0x277, 0x480, 0xc000_0080, 0xc000_0100, 0xc000_0102, 0xc001_0114, 0xc001_0117, 0x9999,
];
const system: fc.Arbitrary<Unit> = fc.oneof(
  fc
    .tuple(fc.constantFrom(...MSRS), fc.constantFrom<Unit>([0x0f, 0x32], [0x0f, 0x30], [0x31, 0xd2, 0x0f, 0x30]))
    .map(([msr, then]): Unit => [0xb9, ...littleEndian(BigInt(msr), 4), ...then]),
  fc
    .tuple(fc.constantFrom(0x20, 0x22), fc.constantFrom(0, 2, 3, 4, 8, 1), register)
    .map(([opcode, control, rm]): Unit => [...(control > 7 ? [0x44] : []), 0x0f, opcode, modRm(3, control & 7, rm)]),
  fc
    .tuple(fc.constantFrom(0, 3, 4), fc.constantFrom(5, 13, 16, 7, 31), fc.constantFrom(5, 6))
    .map(
      ([control, bit, operation]): Unit => [
        0x0f,
        0x20,
        modRm(3, control, 0),
        0x48,
        0x0f,
        0xba,
        modRm(3, operation, 0),
        bit,
        0x0f,
        0x22,
        modRm(3, control, 0),
      ],
    ),
  fixed(
    [0x0f, 0xa2],
    [0xfa],
    [0xfb],
    [0x9c],
    [0x9d],
    [0x0f, 0x31],
    [0xe6, 0x80],
    [0xe4, 0x80],
    [0xee],
    [0xec],
    [0x0f, 0x01, 0x3b],
    [0x0f, 0x0b],
    [0xcc],
    [0xcd, 0x21],
    [0x0f, 0x09],
  ),
  fixed(
    [0x0f, 0x01, 0x13],
    [0x0f, 0x01, 0x1b],
    [0x0f, 0x01, 0x03],
    [0x0f, 0x01, 0x0b],
    [0x8e, 0xd8],
    [0x8e, 0xd0],
    [0x8c, 0xd8],
  ),
);

const VIRTUALIZATION: Readonly<Record<Kind, readonly Unit[]>> = {
  core: [[0x0f, 0x01, 0xc1]],
  intel: [
    [0xf3, 0x0f, 0xc7, 0x33],
    [0x0f, 0x01, 0xc4],
    [0x66, 0x0f, 0xc7, 0x33],
    [0x0f, 0xc7, 0x33],
    [0x0f, 0xc7, 0x3b],
    [0x0f, 0x78, 0xc2],
    [0x0f, 0x79, 0xc2],
    [0x0f, 0x78, 0x03],
    [0x0f, 0x79, 0x03],
    [0xb8, 0x1e, 0x68, 0, 0, 0x0f, 0x78, 0xc2], // MOV EAX, 681EH (Guest RIP); VMREAD RDX, RAX
    [0xb8, 0x1e, 0x68, 0, 0, 0x0f, 0x79, 0xc2], // VMWRITE RAX, RDX
    [0xb8, 0, 0x28, 0, 0, 0x0f, 0x78, 0x03], // VMCS link pointer: VMREAD [RBX], RAX
    [0xc7, 0x04, 0x25, 0x10, 0x10, 0x50, 0, 1, 0, 0, 0], // a store to a VMCS that may be active
  ],
  amd: [
    [0xb8, 0, 0x10, 0x50, 0, 0x0f, 0x01, 0xda], // MOV EAX, a VMCB; VMLOAD
    [0xb8, 0, 0x10, 0x50, 0, 0x0f, 0x01, 0xdb], // VMSAVE
    [0x0f, 0x01, 0xda],
    [0x0f, 0x01, 0xdb],
    [0x0f, 0x01, 0xdc],
    [0x0f, 0x01, 0xdd],
  ],
};

/** Any instruction but a branch, which program.ts makes because it must know the places of the others. */
export function unit(kind: Kind): fc.Arbitrary<Unit> {
  return fc.oneof(
    { weight: 8, arbitrary: arithmetic },
    { weight: 8, arbitrary: dataMovement },
    { weight: 2, arbitrary: selfModification },
    { weight: 3, arbitrary: pageTableEdit },
    { weight: 3, arbitrary: system },
    { weight: 2, arbitrary: fixed(...VIRTUALIZATION[kind]) },
    { weight: 1, arbitrary: fc.array(byte, { minLength: 1, maxLength: 4 }) },
  );
}
