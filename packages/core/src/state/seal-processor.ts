// From the words of a register file to a sealed ProcessorState and back. A group whose registers kept their values keeps
// its object, so that equal parts are identical and comparing them costs nothing.
import { assert } from '../error.js';
import { ACTIVITY, type RegisterFile, type RegisterGroup, type RegisterRow } from '../register/register-file.js';
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

type Group = Record<string, bigint | Record<string, bigint>>;
const GROUPS: readonly RegisterGroup[] = [
  'general',
  'control',
  'debug',
  'segments',
  'descriptorTables',
  'msrs',
  'localApic',
  'internal',
];

/** Seals one processor; `before` is its last sealed state. */
export function sealProcessor(
  registers: RegisterFile,
  words: Int32Array,
  before: ProcessorState,
  plugins: ProcessorState['plugins'],
): ProcessorState {
  const changed = new Set<RegisterGroup>();
  for (const [slot, { group, name }] of registers.rows.entries()) {
    if (!changed.has(group) && slotValue(words, slot) !== registerOf(before, group, name)) changed.add(group);
  }
  if (changed.size === 0 && plugins === before.plugins) return before;
  const groups = Object.fromEntries(
    GROUPS.map((group) => [
      group,
      changed.has(group) ? buildGroup(registers, words, group) : before[group as keyof ProcessorState],
    ]),
  );
  return assemble(before.id, groups, plugins);
}

/** Makes the first sealed state of a processor. */
export function firstProcessorState(
  registers: RegisterFile,
  words: Int32Array,
  id: number,
  plugins: ProcessorState['plugins'],
): ProcessorState {
  return assemble(id, Object.fromEntries(GROUPS.map((group) => [group, buildGroup(registers, words, group)])), plugins);
}

function assemble(id: number, groups: Record<string, unknown>, plugins: ProcessorState['plugins']): ProcessorState {
  const internal = groups['internal'] as ProcessorState['internal'];
  const activity = ACTIVITY[Number(internal.activity)];
  assert(activity !== undefined, 'an unknown activity state', { activity: internal.activity });
  return Object.freeze({ id, ...groups, activity, plugins }) as ProcessorState;
}

function buildGroup(registers: RegisterFile, words: Int32Array, wanted: RegisterGroup): Group {
  const built: Group = {};
  for (const [slot, { group, name }] of registers.rows.entries()) {
    if (group !== wanted) continue;
    const [outer, inner] = pathOf(name);
    if (inner === undefined) built[outer] = slotValue(words, slot);
    else {
      built[outer] ??= {};
      (built[outer] as Record<string, bigint>)[inner] = slotValue(words, slot);
    }
  }
  for (const part of Object.values(built)) Object.freeze(part);
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
export function loadProcessor(rows: readonly RegisterRow[], state: ProcessorState, words: Int32Array): void {
  for (const [slot, { group, name }] of rows.entries()) setSlotValue(words, slot, registerOf(state, group, name));
}
