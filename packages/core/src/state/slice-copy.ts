// A small slice while it changes: a copy of the whole. A device that a guest polls changes its few registers at each access,
// and a proxy for each of them would cost more than the device. When the state is sealed, what is equal to the base again is
// the base, part by part, so that nothing that did not change is stored or hashed anew.
import { freezeDeeply } from './freeze.js';

/** The most values of a slice that is copied. */
const MOST_VALUES = 200;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !ArrayBuffer.isView(value);

/** A copy to be changed; undefined for a slice that is not small. */
export function copySmall<Value>(slice: Value): Value | undefined {
  return countValues(slice, 0) > MOST_VALUES ? undefined : copy(slice);
}

function countValues(value: unknown, before: number): number {
  if (!isObject(value) || before > MOST_VALUES) return before + 1;
  return Object.values(value).reduce<number>((sum, part) => countValues(part, sum), before + 1);
}

function copy<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(copy) as Value;
  if (!isObject(value)) return value;
  const made: Record<string, unknown> = {};
  for (const [name, part] of Object.entries(value)) made[name] = copy(part);
  return made as Value;
}

/** What the copy became, frozen: the base itself if it is equal, and the base's parts where they are. */
export function sealCopy(base: unknown, changed: unknown): unknown {
  return freezeDeeply(shared(base, changed));
}

function shared(base: unknown, changed: unknown): unknown {
  if (!isObject(base) || !isObject(changed)) return changed;
  const names = Object.keys(changed);
  let isSame = Array.isArray(base) === Array.isArray(changed) && names.length === Object.keys(base).length;
  for (const name of names) {
    changed[name] = shared(base[name], changed[name]);
    isSame &&= name in base && Object.is(base[name], changed[name]);
  }
  return isSame ? base : changed;
}
