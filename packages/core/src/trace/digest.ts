// The digest of a state: equal states have equal digests, in any process, however they were reached. A tree of SHA-256
// over the parts of the state, in the canonical encoding (trace/canonical.ts). The digest of a frozen part is remembered
// with the part, so that a digest costs what changed since the last one: states share what they have in common.
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { UsageError } from '../error.js';
import type { MachineState } from '../state/machine.js';
import { framesOf } from '../state/memory.js';
import { DEEPEST_NESTING, encodeCanonical } from './canonical.js';

/** Bytes of a digest. */
export const DIGEST_BYTES = 32;
/** Part of every digest: raised when the way to compute it changes, so that old and new never compare equal. */
const SCHEME = 'retrovisor/state/1';

const remembered = new WeakMap<object, Uint8Array>();

/** The SHA-256 digest of a state, 32 bytes. Position, turn, processors, memory and slices all count. */
export function stateDigest(state: MachineState): Uint8Array {
  const { position, processors, memory, turn, plugins } = state;
  const ranges = memory.ranges.map(({ start, end }) => [start, end]);
  const parts = [turn, processors, plugins].map((part) => digestOf(part, 0));
  return sha256(encodeCanonical([SCHEME, position, ranges, framesOf(memory).digest(), ...parts]));
}

/** A digest as 64 hexadecimal digits. */
export function formatDigest(digest: Uint8Array): string {
  return bytesToHex(digest);
}

/** The digest of plain data, whatever the order of keys. */
export function dataDigest(value: object): Uint8Array {
  return digestOf(value, 0).slice();
}

/** Whether two digests are the same. */
export function sameDigest(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

function digestOf(value: object, depth: number): Uint8Array {
  const known = remembered.get(value);
  if (known !== undefined) return known;
  if (depth > DEEPEST_NESTING) {
    throw new UsageError(
      'NOT_PLAIN_DATA',
      { depth },
      `data nested deeper than ${DEEPEST_NESTING} levels have no digest`,
    );
  }
  const digest = sha256(encodeCanonical(shallow(value, depth)));
  // What is not frozen may change under the same identity.
  if (Object.isFrozen(value)) remembered.set(value, digest);
  return digest;
}

/**
 * A value with null in place of each part that is an object, and the digests of those parts by key: together they say
 * exactly what the value is, because a null of the value itself has no digest.
 */
function shallow(
  value: object,
  depth: number,
): readonly [outline: unknown, parts: Readonly<Record<string, Uint8Array>>] {
  const parts: [string, Uint8Array][] = [];
  const outlineOf = (key: string, part: unknown): unknown => {
    if (typeof part !== 'object' || part === null || part instanceof Uint8Array) return part;
    parts.push([key, digestOf(part, depth + 1)]);
    return null;
  };
  const outline = Array.isArray(value)
    ? Array.from(value, (part, index) => outlineOf(String(index), part))
    : isPlain(value)
      ? Object.fromEntries(Object.entries(value).map(([key, part]) => [key, outlineOf(key, part)]))
      : value;
  return [outline, Object.fromEntries(parts)];
}

/** Anything else goes to the encoder as it is, which refuses it by name. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
