// Tables without borders: columns that line up can be read, copied and cut.
import CliTable from 'cli-table3';
import type { Colours } from './colour.js';

/** A cell; numbers are set to the right. */
export type Cell = string | number | bigint;

const NO_BORDERS = Object.fromEntries(
  ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'].map((name) => [
    name,
    '',
  ]),
);
const NO_RULES = Object.fromEntries(
  ['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'].map((name) => [name, '']),
);

/** A table with a line of headings, unless there are none. A column whose cells are all numbers is set to the right. */
export function table(headings: readonly string[], rows: readonly (readonly Cell[])[], colours: Colours): string {
  const count = Math.max(headings.length, ...rows.map((row) => row.length));
  const isNumeric = (column: number) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number');
  const made = new CliTable({
    head: [],
    chars: { ...NO_BORDERS, ...NO_RULES, middle: '  ' },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colAligns: Array.from({ length: count }, (_, column) => (isNumeric(column) ? 'right' : 'left')),
  });
  if (headings.length > 0) made.push(headings.map((heading) => colours.dim(heading)));
  made.push(...rows.map((row) => row.map(String)));
  return withoutTrailingBlanks(made.toString());
}

function withoutTrailingBlanks(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Text indented by two columns a level. */
export function indented(text: string, levels = 1): string {
  return text.replace(/^(?=.)/gm, '  '.repeat(levels));
}
