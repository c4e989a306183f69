// What it means that two states are the same: a text of everything in them, made only from what the API shows and sharing
// no code with the digests of trace files. Texts, because a difference between texts can be read.
import { createHash } from 'node:crypto';
import { formatDigest, type MachineState, stateDigest } from '@retrovisor/core';

const FRAME_BYTES = 4096;

/** A state as text. Equal texts: equal states, byte for byte. */
export function identityOf({ position, processors, memory, turn, plugins }: MachineState): string {
  const frames = [...memory.frames()].map((address) => [
    `0x${address.toString(16)}`,
    contents(memory.read(address, FRAME_BYTES)),
  ]);
  return plain({ position, turn, processors, plugins, ranges: memory.ranges, frames });
}

function contents(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64');
}

/** Plain data as text, a line a value; keys in order, so that their order does not count. */
function plain(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => readable(part), 1);
}

function readable(part: unknown): unknown {
  if (typeof part === 'bigint') return `0x${part.toString(16)}`;
  if (part === undefined) return '(undefined)';
  if (part instanceof Uint8Array) return `bytes ${contents(part)}`;
  if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
  return Object.fromEntries(Object.entries(part).toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

/** The lines that differ, for a message that names the register instead of showing two screens. */
function differenceOf(left: MachineState, right: MachineState): readonly string[] {
  const [a, b] = [identityOf(left).split('\n'), identityOf(right).split('\n')];
  const length = Math.max(a.length, b.length);
  return Array.from({ length }, (_, line) =>
    a[line] === b[line] ? [] : [`line ${line}: ${a[line]?.trim()} | ${b[line]?.trim()}`],
  )
    .flat()
    .slice(0, 12);
}

/** The digest that traces use, as text. */
export const digestOf = (state: MachineState): string => formatDigest(stateDigest(state));

/** @throws an error that lists the differences, if there are any; or says that the digests do not tell the truth */
export function expectSame(left: MachineState, right: MachineState, what: string): void {
  const same = identityOf(left) === identityOf(right);
  if (!same) throw new Error(`${what}:\n${differenceOf(left, right).join('\n')}`);
  if (digestOf(left) !== digestOf(right)) throw new Error(`${what}: equal states with different digests`);
}
