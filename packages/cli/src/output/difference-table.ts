// Differences as rows: the place, both values, and for registers with named bits which of them came and went.
import type { Difference, MachineDefinition } from '@retrovisor/core';
import type { Colours } from './colour.js';
import { valueText } from './hexadecimal.js';
import { setBits } from './register-table.js';

/** Rows of four cells. */
export function differenceRows(
  differences: readonly Difference[],
  definition: MachineDefinition,
  colours: Colours,
): readonly (readonly string[])[] {
  return differences.map((difference) => [
    difference.location,
    valueText(difference.before),
    valueText(difference.after),
    colours.cyan(bitChanges(difference, definition)),
  ]);
}

/** `+VMXE -PGE`. */
export function bitChanges({ location, before, after }: Difference, definition: MachineDefinition): string {
  if (typeof before !== 'bigint' || typeof after !== 'bigint') return '';
  const register = location.replace(/^processor\/\d+\//, '');
  const [old, now] = [setBits(register, before, definition), setBits(register, after, definition)];
  const came = now.filter((bit) => !old.includes(bit)).map((bit) => `+${bit}`);
  const went = old.filter((bit) => !now.includes(bit)).map((bit) => `-${bit}`);
  return [...came, ...went].join(' ');
}
