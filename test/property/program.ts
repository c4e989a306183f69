// Random programs: a prologue that sets pointers, instructions with branches among them, and a fault handler. The handler
// goes back to an instruction that depends on the number of faults so far, so that a program with an IDT never ends early.
import fc from 'fast-check';
import { littleEndian, POINTERS, type Unit, unit } from './machine-code.js';
import type { Kind } from './machine-plan.js';

export const PROGRAM_BASE = POINTERS.code;
/** The program comes first, the handler and the table of places to go on from stand behind it, at fixed offsets. */
const HANDLER_OFFSET = 0x1800;
const PLACES_OFFSET = 0x1900;
const PLACES = 16;
const STACK = 0x8_0000;

const movImmediate = (register: number, value: number): Unit => [0xb8 + register, ...littleEndian(BigInt(value), 4)];
const PROLOGUE: readonly Unit[] = [
  movImmediate(3, POINTERS.data), // RBX
  movImmediate(6, POINTERS.data + 0x100), // RSI
  movImmediate(7, POINTERS.edge), // RDI
  movImmediate(5, POINTERS.tables), // RBP
  [0x41, ...movImmediate(0, POINTERS.code)], // R8
];

/** A branch before it knows its distance: the index of its target in the program. */
interface Branch {
  readonly kind: 'jump' | 'condition' | 'call' | 'loop';
  readonly condition: number;
  readonly target: number;
}
type Item = { readonly unit: Unit } | { readonly branch: Branch };

const branch = fc.record({
  kind: fc.constantFrom<Branch['kind']>('condition', 'condition', 'condition', 'jump', 'call', 'loop'),
  condition: fc.nat(15),
  target: fc.nat(1000),
});

/** The bytes of a program, its handler and its table; the load address is free, for everything in it is relative. */
export function program(
  kind: Kind,
  { maxLength = 60 }: { readonly maxLength?: number } = {},
): fc.Arbitrary<Uint8Array> {
  const item: fc.Arbitrary<Item> = fc.oneof(
    { weight: 5, arbitrary: unit(kind).map((each) => ({ unit: each })) },
    { weight: 1, arbitrary: branch.map((each) => ({ branch: each })) },
    { weight: 1, arbitrary: fc.constant({ unit: [0xc3] }) },
  );
  return fc
    .array(item, { minLength: 3, maxLength })
    .map((items) => assemble([...PROLOGUE.map((each) => ({ unit: each })), ...items]));
}

const lengthOf = (item: Item): number => ('unit' in item ? item.unit.length : encode(item.branch, 0).length);

function assemble(items: readonly Item[]): Uint8Array {
  const starts: number[] = [];
  let length = 0;
  for (const item of items) {
    starts.push(length);
    length += lengthOf(item);
  }
  const bytes = new Uint8Array(PLACES_OFFSET + PLACES * 4);
  bytes.set(
    items.flatMap((item, index) =>
      'unit' in item ? item.unit : encode(item.branch, target(starts, item.branch) - (starts[index] ?? 0)),
    ),
  );
  bytes.set(encode({ kind: 'jump', condition: 0, target: 0 }, -length), length); // for ever
  bytes.set(handler(), HANDLER_OFFSET);
  Object.defineProperty(bytes, fc.toStringMethod, {
    value: () => `code ${Buffer.from(bytes.subarray(0, length)).toString('hex')}`,
  });
  bytes.set(
    Array.from({ length: PLACES }, (_, index) =>
      littleEndian(BigInt(starts[(index * 5) % starts.length] ?? 0), 4),
    ).flat(),
    PLACES_OFFSET,
  );
  return bytes;
}

function target(starts: readonly number[], { target: index }: Branch): number {
  return starts[index % starts.length] ?? 0;
}

/** A branch over a distance from its own start. LOOP has only a short form: DEC RCX; JNZ instead. */
function encode({ kind, condition }: Branch, distance: number): readonly number[] {
  const opcode = {
    jump: [0xe9],
    call: [0xe8],
    condition: [0x0f, 0x80 + condition],
    loop: [0x48, 0xff, 0xc9, 0x0f, 0x85],
  }[kind];
  return [...opcode, ...littleEndian(BigInt(distance - opcode.length - 4), 4)];
}

/** MOV ESP, stack; INC R15; LEA R14, [place table]; MOVSXD of the entry for R15 & 15; ADD the load address; JMP R13. */
function handler(): readonly number[] {
  const code = [
    0xbc,
    ...littleEndian(BigInt(STACK), 4),
    0x49,
    0xff,
    0xc7,
    0x4d,
    0x89,
    0xfc, // MOV R12, R15
    0x49,
    0x83,
    0xe4,
    PLACES - 1, // AND R12, 15
  ];
  const leaPlaces = HANDLER_OFFSET + code.length;
  code.push(0x4c, 0x8d, 0x35, ...littleEndian(BigInt(PLACES_OFFSET - leaPlaces - 7), 4)); // LEA R14, [RIP + places]
  code.push(0x4f, 0x63, 0x2c, 0xa6); // MOVSXD R13, [R14 + R12 * 4]
  const leaStart = HANDLER_OFFSET + code.length;
  code.push(0x4c, 0x8d, 0x35, ...littleEndian(BigInt(-leaStart - 7), 4)); // LEA R14, [RIP - start]
  code.push(0x4d, 0x01, 0xf5, 0x41, 0xff, 0xe5); // ADD R13, R14; JMP R13
  return code;
}

/** The bytes of an IDT whose 33 gates all lead to the handler of a program that was loaded at an address. */
export function idtFor(load: number): Uint8Array {
  const handlerAddress = BigInt(load + HANDLER_OFFSET);
  const low =
    (handlerAddress & 0xffffn) | (0x08n << 16n) | (0x8e00n << 32n) | (((handlerAddress >> 16n) & 0xffffn) << 48n);
  const gate = [...littleEndian(low, 8), ...littleEndian(handlerAddress >> 32n, 8)];
  return Uint8Array.from(Array.from({ length: 34 }, () => gate).flat());
}
