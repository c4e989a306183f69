// WebAssembly's instructions that generated code uses (WebAssembly Core Specification, "Instructions", binary format): name
// to opcode, and what immediates follow. Opcodes above 0xff are those of the prefix 0xfd, its number in the low byte or two.
import { VECTOR_OPCODES } from './vector-opcodes.js';

/** What follows the opcode. */
export type Immediate = 'none' | 'index' | 'depth' | 'memory' | 'i32' | 'i64' | 'block' | 'lane' | 'lanes' | 'call';

/** The prefix of vector instructions. */
export const VECTOR_PREFIX = 0xfd;

const CONTROL = {
  unreachable: [0x00, 'none'],
  block: [0x02, 'block'],
  loop: [0x03, 'block'],
  if: [0x04, 'block'],
  else: [0x05, 'none'],
  end: [0x0b, 'none'],
  br: [0x0c, 'depth'],
  br_if: [0x0d, 'depth'],
  return: [0x0f, 'none'],
  call: [0x10, 'index'],
  call_indirect: [0x11, 'call'],
  drop: [0x1a, 'none'],
  select: [0x1b, 'none'],
  'local.get': [0x20, 'index'],
  'local.set': [0x21, 'index'],
  'local.tee': [0x22, 'index'],
} as const;

const MEMORY = {
  'i32.load': [0x28, 'memory'],
  'i64.load': [0x29, 'memory'],
  'i32.load8_u': [0x2d, 'memory'],
  'i32.load16_u': [0x2f, 'memory'],
  'i32.store': [0x36, 'memory'],
  'i64.store': [0x37, 'memory'],
  'i32.store8': [0x3a, 'memory'],
  'i32.store16': [0x3b, 'memory'],
} as const;

const NUMERIC = {
  'i32.const': [0x41, 'i32'],
  'i64.const': [0x42, 'i64'],
  'i32.eqz': [0x45, 'none'],
  'i32.eq': [0x46, 'none'],
  'i32.ne': [0x47, 'none'],
  'i32.lt_s': [0x48, 'none'],
  'i32.lt_u': [0x49, 'none'],
  'i32.gt_s': [0x4a, 'none'],
  'i32.gt_u': [0x4b, 'none'],
  'i32.le_s': [0x4c, 'none'],
  'i32.le_u': [0x4d, 'none'],
  'i32.ge_s': [0x4e, 'none'],
  'i32.ge_u': [0x4f, 'none'],
  'i64.eqz': [0x50, 'none'],
  'i64.eq': [0x51, 'none'],
  'i64.ne': [0x52, 'none'],
  'i64.lt_s': [0x53, 'none'],
  'i64.lt_u': [0x54, 'none'],
  'i64.gt_s': [0x55, 'none'],
  'i64.gt_u': [0x56, 'none'],
  'i64.le_s': [0x57, 'none'],
  'i64.le_u': [0x58, 'none'],
  'i64.ge_s': [0x59, 'none'],
  'i64.ge_u': [0x5a, 'none'],
  'i32.clz': [0x67, 'none'],
  'i32.ctz': [0x68, 'none'],
  'i32.popcnt': [0x69, 'none'],
  'i32.add': [0x6a, 'none'],
  'i32.sub': [0x6b, 'none'],
  'i32.mul': [0x6c, 'none'],
  'i32.div_s': [0x6d, 'none'],
  'i32.div_u': [0x6e, 'none'],
  'i32.rem_s': [0x6f, 'none'],
  'i32.rem_u': [0x70, 'none'],
  'i32.and': [0x71, 'none'],
  'i32.or': [0x72, 'none'],
  'i32.xor': [0x73, 'none'],
  'i32.shl': [0x74, 'none'],
  'i32.shr_s': [0x75, 'none'],
  'i32.shr_u': [0x76, 'none'],
  'i32.rotl': [0x77, 'none'],
  'i32.rotr': [0x78, 'none'],
  'i64.clz': [0x79, 'none'],
  'i64.ctz': [0x7a, 'none'],
  'i64.popcnt': [0x7b, 'none'],
  'i64.add': [0x7c, 'none'],
  'i64.sub': [0x7d, 'none'],
  'i64.mul': [0x7e, 'none'],
  'i64.div_s': [0x7f, 'none'],
  'i64.div_u': [0x80, 'none'],
  'i64.rem_s': [0x81, 'none'],
  'i64.rem_u': [0x82, 'none'],
  'i64.and': [0x83, 'none'],
  'i64.or': [0x84, 'none'],
  'i64.xor': [0x85, 'none'],
  'i64.shl': [0x86, 'none'],
  'i64.shr_s': [0x87, 'none'],
  'i64.shr_u': [0x88, 'none'],
  'i64.rotl': [0x89, 'none'],
  'i64.rotr': [0x8a, 'none'],
  'i32.wrap_i64': [0xa7, 'none'],
  'i32.trunc_f32_s': [0xa8, 'none'],
  'i32.trunc_f64_s': [0xaa, 'none'],
  'i64.extend_i32_s': [0xac, 'none'],
  'i64.extend_i32_u': [0xad, 'none'],
  'i64.trunc_f32_s': [0xae, 'none'],
  'i64.trunc_f64_s': [0xb0, 'none'],
  'f32.convert_i32_s': [0xb2, 'none'],
  'f32.convert_i64_s': [0xb4, 'none'],
  'f64.convert_i32_s': [0xb7, 'none'],
  'f64.convert_i64_s': [0xb9, 'none'],
  'i32.extend8_s': [0xc0, 'none'],
  'i32.extend16_s': [0xc1, 'none'],
  'i64.extend8_s': [0xc2, 'none'],
  'i64.extend16_s': [0xc3, 'none'],
} as const;

/** By name. */
export const OPCODES = { ...CONTROL, ...MEMORY, ...NUMERIC, ...VECTOR_OPCODES } as const satisfies Readonly<
  Record<string, readonly [code: number, immediate: Immediate]>
>;

/** The name of an instruction. */
type Opcode = keyof typeof OPCODES;

type WithImmediate<Kind extends Immediate> = {
  [Name in Opcode]: (typeof OPCODES)[Name][1] extends Kind ? Name : never;
}[Opcode];

/** Instructions without immediates, and those that name an address in memory. */
export type PlainOpcode = WithImmediate<'none'>;
export type MemoryOpcode = WithImmediate<'memory'>;
/** Instructions that name an element of a vector. */
export type LaneOpcode = WithImmediate<'lane'>;

/** Whether a name that a table of operations gives is that of an instruction without immediates. */
export function isPlainOpcode(name: string): name is PlainOpcode {
  return Object.hasOwn(OPCODES, name) && OPCODES[name as Opcode][1] === 'none';
}
