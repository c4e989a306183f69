// Plain data as bytes, and back: the deterministic encoding of CBOR (RFC 8949, 4.2.1), so that any CBOR tool reads it. Equal
// data are equal bytes whatever the order of keys. Two choices of our own: a bigint is always a bignum (tag 2 or 3), so that
// 5n and 5 stay different, and a number that is no safe integer, or is -0, is a float of 64 bits.
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { UsageError } from '../error.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';

/** Data nested deeper is refused, so that neither end can be made to overflow its stack. */
export const DEEPEST_NESTING = 64;
/** Bytes of a bigint: more is no register, address or count of anything. */
const LONGEST_BIGINT = 2 ** 16;

/** Major types of RFC 8949, 3.1. */
const MAJOR = { unsigned: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5, tag: 6, simple: 7 } as const;
const TAG = { positiveBignum: 2, negativeBignum: 3 } as const;
const SIMPLE = { false: 20, true: 21, null: 22, undefined: 23, float64: 27 } as const;

/** The one NaN of RFC 8949, 4.2.2: which bits an engine keeps in a NaN is its own affair. */
const QUIET_NAN = Uint8Array.of(0x7f, 0xf8, 0, 0, 0, 0, 0, 0);
/** Half of a surrogate pair: with the flag `u` whole pairs are other code points. */
const LONE_SURROGATE = /\p{Surrogate}/u;

const textEncoder = new TextEncoder();
/** A digest encodes hundreds of small parts: a buffer for each would cost more than its bytes. Nothing encoded encodes. */
const reused = new ByteWriter();

/** The way to a value from the outermost one, innermost key first. */
interface Place {
  readonly key: string;
  readonly depth: number;
  readonly outer: Place | undefined;
}

/**
 * The bytes of plain data: null, undefined, booleans, numbers, bigints, strings, Uint8Arrays, arrays and plain objects.
 * @throws UsageError NOT_PLAIN_DATA that says where the other thing is
 */
export function encodeCanonical(value: unknown): Uint8Array {
  reused.clear();
  writeCanonical(reused, value);
  return reused.take();
}

/** Appends the bytes of plain data. */
export function writeCanonical(writer: ByteWriter, value: unknown): void {
  writeValue(writer, value, undefined);
}

function writeValue(writer: ByteWriter, value: unknown, place: Place | undefined): void {
  switch (typeof value) {
    case 'undefined':
      return void writeHead(writer, MAJOR.simple, SIMPLE.undefined);
    case 'boolean':
      return void writeHead(writer, MAJOR.simple, value ? SIMPLE.true : SIMPLE.false);
    case 'number':
      return void writeNumber(writer, value);
    case 'bigint':
      return void writeBigint(writer, value, place);
    case 'string':
      return void writer.raw(encodedText(value, place));
    case 'object':
      return void writeObject(writer, value, place);
    default:
      refuse(place, `a ${typeof value}`);
  }
}

function inside(outer: Place | undefined, key: string): Place {
  const place = { key, depth: (outer?.depth ?? 0) + 1, outer };
  if (place.depth > DEEPEST_NESTING) refuse(outer, `nested deeper than ${DEEPEST_NESTING} levels`);
  return place;
}

function refuse(place: Place | undefined, found: string): never {
  const path: string[] = [];
  for (let step = place; step !== undefined; step = step.outer) path.unshift(step.key);
  const where = path.length === 0 ? 'it' : path.join('.');
  throw new UsageError(
    'NOT_PLAIN_DATA',
    { path, found },
    `${where} is ${found}: null, undefined, booleans, numbers, bigints, text, bytes, arrays and plain objects are accepted`,
  );
}

function writeHead(writer: ByteWriter, major: number, argument: number): ByteWriter {
  const type = major << 5;
  if (argument < 24) return writer.u8(type | argument);
  if (argument < 2 ** 8) return writer.u8(type | 24).u8(argument);
  if (argument < 2 ** 16) return writer.u8(type | 25).bigEndian(argument, 2);
  if (argument < 2 ** 32) return writer.u8(type | 26).bigEndian(argument, 4);
  return writer.u8(type | 27).bigEndian(argument, 8);
}

function writeNumber(writer: ByteWriter, value: number): void {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    writer.u8((MAJOR.simple << 5) | SIMPLE.float64);
    if (Number.isNaN(value)) writer.raw(QUIET_NAN);
    else writer.float64(value);
  } else if (value >= 0) writeHead(writer, MAJOR.unsigned, value);
  else writeHead(writer, MAJOR.negative, -1 - value);
}

function writeBigint(writer: ByteWriter, value: bigint, place: Place | undefined): void {
  const magnitude = value < 0n ? -1n - value : value;
  const digits = magnitude === 0n ? '' : magnitude.toString(16);
  const bytes = hexToBytes(digits.length % 2 === 0 ? digits : `0${digits}`);
  if (bytes.length > LONGEST_BIGINT) refuse(place, `a bigint of ${bytes.length} bytes`);
  writeHead(writer, MAJOR.tag, value < 0n ? TAG.negativeBignum : TAG.positiveBignum);
  writeHead(writer, MAJOR.bytes, bytes.length).raw(bytes);
}

function encodedText(text: string, place: Place | undefined): Uint8Array {
  // Half of a surrogate pair has no UTF-8: written as U+FFFD, it would come back as another text.
  if (LONE_SURROGATE.test(text)) refuse(place, 'text with half of a surrogate pair');
  const utf8 = textEncoder.encode(text);
  return writeHead(new ByteWriter(), MAJOR.text, utf8.length).raw(utf8).take();
}

function writeObject(writer: ByteWriter, value: object | null, place: Place | undefined): void {
  if (value === null) writeHead(writer, MAJOR.simple, SIMPLE.null);
  else if (value instanceof Uint8Array) writeHead(writer, MAJOR.bytes, value.length).raw(value);
  else if (Array.isArray(value)) writeArray(writer, value, place);
  else if (isPlainObject(value)) writeMap(writer, value, place);
  else refuse(place, `an object of the class ${value.constructor?.name ?? 'that has no name'}`);
}

function isPlainObject(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && Object.getOwnPropertySymbols(value).length === 0;
}

function writeArray(writer: ByteWriter, items: readonly unknown[], place: Place | undefined): void {
  writeHead(writer, MAJOR.array, items.length);
  for (let index = 0; index < items.length; index++) {
    const item = inside(place, String(index));
    if (!(index in items)) refuse(item, 'a hole in an array');
    writeValue(writer, items[index], item);
  }
}

function writeMap(writer: ByteWriter, map: Readonly<Record<string, unknown>>, place: Place | undefined): void {
  const entries = Object.keys(map).map((key) => ({ key, encoded: encodedText(key, inside(place, key)) }));
  entries.sort((left, right) => compareBytes(left.encoded, right.encoded));
  writeHead(writer, MAJOR.map, entries.length);
  for (const { key, encoded } of entries) writeValue(writer.raw(encoded), map[key], inside(place, key));
}

/** Bytewise order; the head holds the length, so that shorter keys come first. */
function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const shorter = Math.min(left.length, right.length);
  for (let index = 0; index < shorter; index++) {
    const difference = (left[index] as number) - (right[index] as number);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/**
 * The data behind bytes. Only what encodeCanonical writes is accepted; the result is no larger than the input justifies.
 * @param base where the bytes lie in their file, for messages
 * @throws TraceFormatError TRACE_MALFORMED with the offset
 */
export function decodeCanonical(bytes: Uint8Array, base = 0): unknown {
  const reader = new ByteReader(bytes, base);
  const value = readCanonical(reader);
  reader.end();
  return value;
}

/** The next item of plain data. */
export function readCanonical(reader: ByteReader, depth = 0): unknown {
  const { offset } = reader;
  const first = reader.u8();
  const major = first >> 5;
  if (major === MAJOR.simple) return readSimple(reader, first & 31, offset);
  const argument = readArgument(reader, first & 31, offset);
  switch (major) {
    case MAJOR.unsigned:
      return argument;
    case MAJOR.negative:
      if (argument === Number.MAX_SAFE_INTEGER) reader.refuse('a number from 1 - 2^53', '-2^53', offset);
      return -1 - argument;
    case MAJOR.bytes:
      return reader.raw(argument).slice();
    case MAJOR.text:
      return reader.utf8(argument);
    case MAJOR.array:
      return readArray(reader, argument, depth, offset);
    case MAJOR.map:
      return readMap(reader, argument, depth, offset);
    default:
      return readBigint(reader, argument, offset);
  }
}

function readArgument(reader: ByteReader, info: number, offset: number): number {
  if (info < 24) return info;
  const [value, least] = wideArgument(reader, info, offset);
  if (value < least) reader.refuse('a number in its shortest form', value, offset);
  return value;
}

function wideArgument(reader: ByteReader, info: number, offset: number): readonly [value: number, least: number] {
  if (info === 24) return [reader.u8(), 24];
  if (info === 25) return [reader.bigEndian(2), 2 ** 8];
  if (info === 26) return [reader.bigEndian(4), 2 ** 16];
  if (info === 27) return [reader.bigEndian(8), 2 ** 32];
  return reader.refuse('a definite length', `additional information ${info}`, offset);
}

function readSimple(reader: ByteReader, info: number, offset: number): unknown {
  switch (info) {
    case SIMPLE.false:
      return false;
    case SIMPLE.true:
      return true;
    case SIMPLE.null:
      return null;
    case SIMPLE.undefined:
      return undefined;
    case SIMPLE.float64:
      return readFloat(reader, offset);
    default:
      return reader.refuse('false, true, null, undefined or a float of 64 bits', `simple value ${info}`, offset);
  }
}

function readFloat(reader: ByteReader, offset: number): number {
  const bytes = reader.raw(8);
  const value = new ByteReader(bytes).float64();
  // One form for each value: integers are not floats, and of the NaNs only one is written.
  const canonical = new ByteWriter();
  writeNumber(canonical, value);
  if (compareBytes(canonical.take().subarray(1), bytes) !== 0) reader.refuse('a number in its one form', value, offset);
  return value;
}

function readBigint(reader: ByteReader, tag: number, offset: number): bigint {
  if (tag !== TAG.positiveBignum && tag !== TAG.negativeBignum)
    reader.refuse('tag 2 or 3 (a bignum)', `tag ${tag}`, offset);
  const first = reader.u8();
  if (first >> 5 !== MAJOR.bytes) reader.refuse('the bytes of a bignum', `major type ${first >> 5}`, offset);
  const length = readArgument(reader, first & 31, offset);
  if (length > LONGEST_BIGINT) reader.refuse(`a bignum of up to ${LONGEST_BIGINT} bytes`, length, offset);
  const bytes = reader.raw(length);
  if (bytes[0] === 0) reader.refuse('a bignum without leading zeros', 0, offset);
  const magnitude = length === 0 ? 0n : BigInt(`0x${bytesToHex(bytes)}`);
  return tag === TAG.negativeBignum ? -1n - magnitude : magnitude;
}

function checkDepth(reader: ByteReader, depth: number, items: number, offset: number): void {
  if (items === 0 || depth < DEEPEST_NESTING) return;
  reader.refuse(`data nested no deeper than ${DEEPEST_NESTING} levels`, 'more', offset);
}

function readArray(reader: ByteReader, length: number, depth: number, offset: number): unknown[] {
  checkDepth(reader, depth, length, offset);
  if (length > reader.left) reader.refuse(`an array that fits in ${reader.left} bytes`, length, offset);
  const items: unknown[] = [];
  for (let index = 0; index < length; index++) items.push(readCanonical(reader, depth + 1));
  return items;
}

function readMap(reader: ByteReader, size: number, depth: number, offset: number): Record<string, unknown> {
  checkDepth(reader, depth, size, offset);
  if (size * 2 > reader.left) reader.refuse(`a map that fits in ${reader.left} bytes`, size, offset);
  const entries: [string, unknown][] = [];
  let before: Uint8Array | undefined;
  for (let index = 0; index < size; index++) {
    const keyOffset = reader.offset;
    const key = readCanonical(reader, DEEPEST_NESTING);
    if (typeof key !== 'string') reader.refuse('a text as key', typeof key, keyOffset);
    const encoded = encodedText(key, undefined);
    if (before !== undefined && compareBytes(before, encoded) >= 0)
      reader.refuse('keys in order, each once', key, keyOffset);
    before = encoded;
    entries.push([key, readCanonical(reader, depth + 1)]);
  }
  // Unlike assignment, this makes `__proto__` a key like any other.
  return Object.fromEntries(entries);
}
