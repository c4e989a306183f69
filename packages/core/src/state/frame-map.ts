// A persistent map from frame number to the 4 KiB of a frame: a radix tree of 64-way nodes. Changing n frames copies n
// paths; everything else is shared. A frame of zeros is absent, so that equal contents have equal trees and digests.
// Internal to core: the bytes inside are shared by many states and must never be handed out (state/memory.ts copies).
import { sha256 } from '@noble/hashes/sha2.js';

const BITS = 6;
const FAN_OUT = 1 << BITS;
/** Seven levels cover the 40 bits of a frame number of a 52-bit physical address. */
const LEVELS = 7;

interface Leaf {
  readonly bytes: Uint8Array;
  digest: Uint8Array | undefined;
}
interface Branch {
  readonly children: readonly (Branch | Leaf | undefined)[];
  digest: Uint8Array | undefined;
}

const EMPTY_CHILDREN: readonly undefined[] = Object.freeze(new Array<undefined>(FAN_OUT).fill(undefined));
const ABSENT_DIGEST = new Uint8Array(32);

/** An immutable set of non-zero frames. */
export class FrameMap {
  static readonly EMPTY = new FrameMap(undefined, 0);

  readonly #root: Branch | undefined;
  /** Frames that are not all zeros. */
  readonly size: number;

  private constructor(root: Branch | undefined, size: number) {
    this.#root = root;
    this.size = size;
  }

  /** The bytes of a frame, shared: callers inside core read and never write. */
  get(frame: number): Uint8Array | undefined {
    let node: Branch | undefined = this.#root;
    for (let level = LEVELS - 1; level > 0 && node !== undefined; level--) {
      node = node.children[digit(frame, level)] as Branch | undefined;
    }
    return (node?.children[digit(frame, 0)] as Leaf | undefined)?.bytes;
  }

  /** A map with these frames replaced. The arrays are taken over: the caller keeps no reference. */
  with(changes: Iterable<readonly [frame: number, bytes: Uint8Array]>): FrameMap {
    const edit: Edit = { owned: new Set(), size: this.size };
    let root = this.#root;
    for (const [frame, bytes] of changes)
      root = put(edit, root, LEVELS - 1, frame, isZeroFrame(bytes) ? undefined : bytes) as Branch | undefined;
    return root === this.#root ? this : new FrameMap(root, edit.size);
  }

  /** Every frame in ascending order. */
  *entries(): IterableIterator<[frame: number, bytes: Uint8Array]> {
    if (this.#root !== undefined) yield* walk(this.#root, LEVELS - 1, 0);
  }

  /** Frames that differ between two maps, found without visiting what they share. */
  *differences(other: FrameMap): IterableIterator<number> {
    yield* differ(this.#root, other.#root, LEVELS - 1, 0);
  }

  /** A digest of the contents, remembered in the nodes: costs what changed since the last one. */
  digest(): Uint8Array {
    return this.#root === undefined ? ABSENT_DIGEST : digestOf(this.#root, LEVELS - 1);
  }
}

interface Edit {
  /** Branches that this edit made and may change in place. */
  readonly owned: Set<Branch>;
  size: number;
}

/** Frame numbers exceed 32 bits, so digits are taken by division. */
function digit(frame: number, level: number): number {
  return Math.floor(frame / 2 ** (BITS * level)) % FAN_OUT;
}

function put(
  edit: Edit,
  node: Branch | undefined,
  level: number,
  frame: number,
  bytes: Uint8Array | undefined,
): Branch | undefined {
  const index = digit(frame, level);
  const before = node?.children[index];
  if (before === undefined && bytes === undefined) return node;
  const after =
    level === 0
      ? leaf(edit, before as Leaf | undefined, bytes)
      : put(edit, before as Branch | undefined, level - 1, frame, bytes);
  const branch = owned(edit, node);
  (branch.children as (Branch | Leaf | undefined)[])[index] = after;
  return after === undefined && branch.children.every((child) => child === undefined) ? undefined : branch;
}

function leaf(edit: Edit, before: Leaf | undefined, bytes: Uint8Array | undefined): Leaf | undefined {
  edit.size += Number(bytes !== undefined) - Number(before !== undefined);
  return bytes && { bytes, digest: undefined };
}

function owned(edit: Edit, node: Branch | undefined): Branch {
  if (node !== undefined && edit.owned.has(node)) return node;
  const branch: Branch = { children: (node?.children ?? EMPTY_CHILDREN).slice(), digest: undefined };
  edit.owned.add(branch);
  return branch;
}

function* walk(branch: Branch, level: number, prefix: number): IterableIterator<[number, Uint8Array]> {
  for (const [index, child] of branch.children.entries()) {
    if (child === undefined) continue;
    const number = prefix + index * 2 ** (BITS * level);
    if (level === 0) yield [number, (child as Leaf).bytes];
    else yield* walk(child as Branch, level - 1, number);
  }
}

function* differ(
  left: Branch | undefined,
  right: Branch | undefined,
  level: number,
  prefix: number,
): IterableIterator<number> {
  if (left === right) return;
  for (let index = 0; index < FAN_OUT; index++) {
    const [a, b] = [left?.children[index], right?.children[index]];
    if (a === b) continue;
    const number = prefix + index * 2 ** (BITS * level);
    if (level > 0) yield* differ(a as Branch | undefined, b as Branch | undefined, level - 1, number);
    else if (!equalBytes((a as Leaf | undefined)?.bytes, (b as Leaf | undefined)?.bytes)) yield number;
  }
}

function digestOf(node: Branch | Leaf, level: number): Uint8Array {
  node.digest ??= 'bytes' in node ? sha256(node.bytes) : digestOfBranch(node, level);
  return node.digest;
}

/** The digest of a branch names the places of its children, so that a frame cannot move unnoticed. */
function digestOfBranch(branch: Branch, level: number): Uint8Array {
  const hash = sha256.create();
  for (const [index, child] of branch.children.entries()) {
    if (child !== undefined) hash.update(Uint8Array.of(level, index)).update(digestOf(child, level - 1));
  }
  return hash.digest();
}

function isZeroFrame(bytes: Uint8Array): boolean {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  return words.every((word) => word === 0);
}

function equalBytes(left: Uint8Array | undefined, right: Uint8Array | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return left.every((byte, index) => byte === right[index]);
}
