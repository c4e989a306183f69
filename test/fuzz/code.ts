// Bytes as guest code: noise, encodings that have the shape of instructions, and such encodings damaged.
import type { Random } from './random.js';

const PREFIXES = [0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65] as const;
/** Opcodes that lead to most of what a processor does besides arithmetic, of the map without an escape byte. */
const SYSTEM_OPCODES = [
  0x06, 0x07, 0x0e, 0x17, 0x1f, 0x62, 0x63, 0x6c, 0x6f, 0x8c, 0x8e, 0x8f, 0x9a, 0x9b, 0x9c, 0x9d, 0xa4, 0xa6, 0xab,
  0xc4, 0xc5, 0xc8, 0xc9, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf, 0xd9, 0xdb, 0xdd, 0xdf, 0xe4, 0xe5, 0xe6, 0xe7, 0xea,
  0xec, 0xee, 0xf1, 0xf4, 0xf6, 0xf7, 0xfa, 0xfb, 0xfe, 0xff,
] as const;
/** Of the map behind 0FH. */
const SYSTEM_ESCAPED = [
  0x00, 0x01, 0x02, 0x03, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0b, 0x20, 0x21, 0x22, 0x23, 0x30, 0x31, 0x32, 0x33, 0x34,
  0x35, 0x77, 0x78, 0x79, 0xa0, 0xa1, 0xa2, 0xaa, 0xae, 0xb0, 0xb2, 0xb4, 0xb5, 0xb9, 0xba, 0xc7, 0xff,
] as const;

/** How bytes are drawn. */
export const CODE_KINDS = ['noise', 'shaped', 'damaged'] as const;
export type CodeKind = (typeof CODE_KINDS)[number];

/** So many bytes of a kind. */
export function codeOf(kind: CodeKind, length: number, random: Random): Uint8Array {
  if (kind === 'noise') return Uint8Array.from(random.bytes(length));
  const bytes: number[] = [];
  while (bytes.length < length) bytes.push(...shaped(random));
  if (kind === 'damaged') {
    for (let hits = length / 16; hits > 0; hits--) bytes[random.below(bytes.length)] = random.byte();
  }
  return Uint8Array.from(bytes.slice(0, length));
}

/** Prefixes, opcode, ModR/M, and what may follow it: often an instruction, now and then with a byte too many or too few. */
function shaped(random: Random): number[] {
  const bytes: number[] = [];
  while (random.oneIn(4)) bytes.push(random.pick(PREFIXES));
  if (random.oneIn(3)) bytes.push(0x40 | random.below(16));
  bytes.push(...opcode(random));
  const modRm = random.byte();
  bytes.push(modRm);
  const [mod, rm] = [modRm >> 6, modRm & 7];
  if (mod !== 3 && rm === 4) bytes.push(random.byte());
  if (mod === 1) bytes.push(random.byte());
  if (mod === 2 || (mod === 0 && rm === 5)) bytes.push(...displacement(random));
  if (random.oneIn(4)) bytes.push(...random.bytes(random.pick([1, 1, 2, 4])));
  return bytes;
}

function opcode(random: Random): number[] {
  switch (random.below(8)) {
    case 0:
      return [random.pick(SYSTEM_OPCODES)];
    case 1:
    case 2:
      return [0x0f, random.pick(SYSTEM_ESCAPED)];
    case 3:
    case 4:
      return [0x0f, random.byte()];
    case 5:
      return [0x0f, random.pick([0x38, 0x3a]), random.byte()];
    default:
      return [random.byte()];
  }
}

/** Near, or anywhere. */
function displacement(random: Random): number[] {
  return random.oneIn(2) ? [random.byte(), random.byte(), 0, 0] : random.bytes(4);
}
