// From the words of a register file to a sealed ProcessorState and back. A group whose registers kept their values keeps
// its object, so that equal parts are identical and comparing them costs nothing.
import { assert } from '../error.js';
import { ACTIVITY, type PlacedRegister, type RegisterFile, type RegisterGroup } from '../register/register-file.js';
import type { ProcessorState } from './processor.js';

/** The value of a slot, unsigned. */
function slotValue(words: Int32Array, slot: number): bigint {
  return (BigInt((words[slot * 2 + 1] ?? 0) >>> 0) << 32n) | BigInt((words[slot * 2] ?? 0) >>> 0);
}

/** Stores a value in a slot. */
export function setSlotValue(words: Int32Array, slot: number, value: bigint): void {
  words[slot * 2] = Number(BigInt.asIntN(32, value));
  words[slot * 2 + 1] = Number(BigInt.asIntN(32, value >> 32n));
}

/** The value of a register of one or two slots, unsigned. */
function registerValue(words: Int32Array, { slot, width }: PlacedRegister): bigint {
  const low = slotValue(words, slot);
  return width > 64 ? (slotValue(words, slot + 1) << 64n) | low : low;
}

/** Stores a value in the one or two slots of a register. */
export function setRegisterValue(words: Int32Array, { slot, width }: PlacedRegister, value: bigint): void {
  setSlotValue(words, slot, value);
  if (width > 64) setSlotValue(words, slot + 1, value >> 64n);
}

type Group = Record<string, bigint | Record<string, bigint>>;

/** The words that each sealed group was made of: comparing them tells whether it changed. */
const sealedWords = new WeakMap<object, Int32Array>();

/** Seals one processor; `before` is its last sealed state. */
export function sealProcessor(
  registers: RegisterFile,
  words: Int32Array,
  before: ProcessorState,
  plugins: ProcessorState['plugins'],
): ProcessorState {
  let isChanged = plugins !== before.plugins;
  const groups: Record<string, unknown> = {};
  for (const [group, rows] of registers.groups) {
    const isSame = matches(words, rows, sealedWords.get(before[group]));
    groups[group] = isSame ? before[group] : buildGroup(words, rows);
    isChanged ||= !isSame;
  }
  return isChanged ? assemble(before.id, groups, plugins) : before;
}

/** Makes the first sealed state of a processor. */
export function firstProcessorState(
  registers: RegisterFile,
  words: Int32Array,
  id: number,
  plugins: ProcessorState['plugins'],
): ProcessorState {
  const groups = [...registers.groups].map(([group, rows]) => [group, buildGroup(words, rows)]);
  return assemble(id, Object.fromEntries(groups), plugins);
}

/** Words of a register: two a slot. */
const wordsOf = ({ width }: PlacedRegister): number => (width > 64 ? 4 : 2);

function matches(words: Int32Array, rows: readonly PlacedRegister[], sealed: Int32Array | undefined): boolean {
  if (sealed === undefined) return false;
  let index = 0;
  for (const register of rows) {
    const end = register.slot * 2 + wordsOf(register);
    for (let word = register.slot * 2; word < end; word++) if (words[word] !== sealed[index++]) return false;
  }
  return true;
}

function copyOf(words: Int32Array, rows: readonly PlacedRegister[]): Int32Array {
  const copy = new Int32Array(rows.reduce((count, register) => count + wordsOf(register), 0));
  let index = 0;
  for (const register of rows) {
    const end = register.slot * 2 + wordsOf(register);
    for (let word = register.slot * 2; word < end; word++) copy[index++] = words[word] as number;
  }
  return copy;
}

function assemble(id: number, groups: Record<string, unknown>, plugins: ProcessorState['plugins']): ProcessorState {
  const internal = groups['internal'] as ProcessorState['internal'];
  const activity = ACTIVITY[Number(internal.activity)];
  assert(activity !== undefined, 'an unknown activity state', { activity: internal.activity });
  return Object.freeze({ id, ...groups, activity, plugins }) as ProcessorState;
}

function buildGroup(words: Int32Array, rows: readonly PlacedRegister[]): Group {
  const built: Group = {};
  for (const register of rows) {
    const [outer, inner] = pathOf(register.name);
    if (inner === undefined) built[outer] = registerValue(words, register);
    else {
      built[outer] ??= {};
      (built[outer] as Record<string, bigint>)[inner] = registerValue(words, register);
    }
  }
  for (const part of Object.values(built)) Object.freeze(part);
  sealedWords.set(built, copyOf(words, rows));
  return Object.freeze(built);
}

function pathOf(name: string): readonly [outer: string, inner?: string] {
  const dot = name.indexOf('.');
  return dot < 0 ? [name] : [name.slice(0, dot), name.slice(dot + 1)];
}

/** A register of a sealed processor by its row. */
export function registerOf(state: ProcessorState, group: RegisterGroup, name: string): bigint {
  const [outer, inner] = pathOf(name);
  const value = (state[group] as Record<string, bigint | Record<string, bigint>>)[outer];
  return (inner === undefined ? value : (value as Record<string, bigint> | undefined)?.[inner]) as bigint;
}

/** Writes a sealed processor's registers back into words. */
export function loadProcessor(rows: readonly PlacedRegister[], state: ProcessorState, words: Int32Array): void {
  for (const register of rows) setRegisterValue(words, register, registerOf(state, register.group, register.name));
}
