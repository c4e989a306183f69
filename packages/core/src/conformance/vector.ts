// Instruction vectors: a state, bytes to execute, and the state that a processor left. One JSON object a line; numbers are
// hexadecimal text. test/conformance/vectors/README.md describes the form and how the vectors were recorded.
import { VectorFormatError } from '../error.js';

/** A number or bytes, two digits each, in hexadecimal without a prefix. */
export type Hex = string;

/** Bytes at a linear address. */
export type MemoryRun = readonly [address: Hex, bytes: Hex];

/** What of a state a vector lists. */
export interface VectorState {
  readonly regs?: Readonly<Record<string, Hex>>;
  readonly flags: Hex;
  readonly mem?: readonly MemoryRun[];
  /** By number; 16 bytes, the lowest first. */
  readonly xmm?: Readonly<Record<string, Hex>>;
  readonly mxcsr?: Hex;
}

/** One vector. Before and after list what differs from the fixed state and from before. */
export interface InstructionVector {
  /** The form, for people: `code` decides. */
  readonly id: string;
  readonly code: Hex;
  readonly in: VectorState;
  readonly out: VectorState & { readonly rip: Hex };
  /** Vector, error code, and CR2 of a page fault. */
  readonly exc?: readonly [vector: number, errorCode: number, address?: Hex];
  /** Mask of the bits of RFLAGS that the manual leaves undefined. */
  readonly undef?: Hex;
  readonly undefRegs?: readonly string[];
  /** Of a program: instructions in its code, and those executed. */
  readonly insns?: number;
  readonly retired?: number;
}

/** Where a line of vectors stands, for messages. */
export interface VectorPlace {
  readonly file: string;
  /** From 1 on. */
  readonly line: number;
}

type Check = (value: unknown) => boolean;

const REGISTER = /^(r[abcd]x|r[sb]p|r[sd]i|r[89]|r1[0-5])$/;
const isHex = (digits: number): Check => {
  const form = new RegExp(`^[0-9a-f]{1,${digits}}$`, 'i');
  return (value) => typeof value === 'string' && form.test(value);
};
const isBytes: Check = (value) => typeof value === 'string' && /^([0-9a-f]{2})+$/i.test(value);
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isRegister: Check = (value) => typeof value === 'string' && REGISTER.test(value);
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const recordOf =
  (name: Check, check: Check): Check =>
  (value) =>
    isObject(value) && Object.entries(value).every(([key, member]) => name(key) && check(member));
const isRun: Check = (value) => Array.isArray(value) && value.length === 2 && isHex(16)(value[0]) && isBytes(value[1]);
const isException: Check = (value) =>
  Array.isArray(value) &&
  (value.length === 2 || (value.length === 3 && isHex(16)(value[2]))) &&
  isCount(value[0]) &&
  isCount(value[1]);
const isXmmNumber: Check = (value) => typeof value === 'string' && /^(\d|1[0-5])$/.test(value);
const isXmmValue: Check = (value) => isBytes(value) && (value as string).length === 32;

interface MemberRow {
  readonly name: string;
  readonly check: Check;
  readonly accepted: string;
  readonly required?: true;
}

const STATE: readonly MemberRow[] = [
  { name: 'regs', check: recordOf(isRegister, isHex(16)), accepted: 'general registers and hexadecimal numbers' },
  { name: 'flags', check: isHex(16), accepted: 'a hexadecimal number', required: true },
  { name: 'mem', check: listOf(isRun), accepted: 'pairs of an address and bytes, both hexadecimal' },
  { name: 'xmm', check: recordOf(isXmmNumber, isXmmValue), accepted: 'numbers 0 to 15 and 16 bytes each' },
  { name: 'mxcsr', check: isHex(8), accepted: 'a hexadecimal number of 32 bits' },
];

const MEMBERS: readonly MemberRow[] = [
  { name: 'id', check: (value) => typeof value === 'string', accepted: 'text', required: true },
  { name: 'code', check: isBytes, accepted: 'bytes in hexadecimal', required: true },
  { name: 'in', check: isObject, accepted: 'an object', required: true },
  { name: 'out', check: isObject, accepted: 'an object', required: true },
  { name: 'exc', check: isException, accepted: 'vector, error code and perhaps an address' },
  { name: 'undef', check: isHex(16), accepted: 'a hexadecimal number' },
  { name: 'undefRegs', check: listOf(isRegister), accepted: 'names of general registers' },
  { name: 'insns', check: isCount, accepted: 'a whole number' },
  { name: 'retired', check: isCount, accepted: 'a whole number' },
];

const OUT_RIP: MemberRow = { name: 'rip', check: isHex(16), accepted: 'a hexadecimal number', required: true };

/**
 * Reads a line of a file of vectors.
 * @throws VectorFormatError VECTOR_NOT_JSON or VECTOR_MEMBER, with file and line, for anything that is no vector
 */
export function parseVector(text: string, place: VectorPlace): InstructionVector {
  const vector = parseJson(text, place);
  if (!isObject(vector)) throw memberError(place, 'the line', vector, 'an object');
  checkMembers(vector, MEMBERS, '', place);
  checkMembers(vector['in'] as Readonly<Record<string, unknown>>, STATE, 'in.', place);
  checkMembers(vector['out'] as Readonly<Record<string, unknown>>, [...STATE, OUT_RIP], 'out.', place);
  return vector as unknown as InstructionVector;
}

function parseJson(text: string, place: VectorPlace): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new VectorFormatError('VECTOR_NOT_JSON', { ...place, why }, `${placeText(place)}: this is no JSON: ${why}`);
  }
}

function checkMembers(
  found: Readonly<Record<string, unknown>>,
  rows: readonly MemberRow[],
  prefix: string,
  place: VectorPlace,
): void {
  for (const { name, check, accepted, required } of rows) {
    const value = found[name];
    if (value === undefined && required !== true) continue;
    if (!check(value)) throw memberError(place, `${prefix}${name}`, value, accepted);
  }
}

const placeText = ({ file, line }: VectorPlace): string => `${file}, line ${line}`;

function memberError(place: VectorPlace, member: string, value: unknown, accepted: string): VectorFormatError {
  const shown = value === undefined ? 'missing' : (JSON.stringify(value) ?? String(value)).slice(0, 80);
  return new VectorFormatError(
    'VECTOR_MEMBER',
    { ...place, member, value, accepted },
    `${placeText(place)}: ${member} is ${shown}; accepted is ${accepted}`,
  );
}

/** Bytes as numbers. */
export function bytesOf(hex: Hex): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
}

/** A number. */
export const numberOf = (hex: Hex): bigint => BigInt(`0x${hex}`);
