import { expect, it } from 'vitest';
import { PLAIN } from '../../src/output/colour.js';
import { indented, table } from '../../src/output/table.js';

it('lines up columns, numbers to the right, without trailing blanks', () => {
  const rows = [
    [1, 'one', ''],
    [100, 'a hundred', 'x'],
  ];
  expect(table(['count', 'name', ''], rows, PLAIN)).toBe('count  name\n    1  one\n  100  a hundred  x');
});

it('does without headings', () => {
  expect(table([], [['a', 'b']], PLAIN)).toBe('a  b');
});

it('indents lines that are not empty', () => {
  expect(indented('a\n\nb')).toBe('  a\n\n  b');
});
