import { expect, it } from 'vitest';
import { PLAIN } from '../../src/output/colour.js';
import { bitChanges } from '../../src/output/difference-table.js';
import { registerTable, setBits } from '../../src/output/register-table.js';
import { failedMachine } from '../recorded.js';

const { definition, state } = failedMachine();

it('names the bits that are set, those of plugins too, and counts those without a name', () => {
  expect(setBits('CR4', 0x2020n, definition)).toEqual(['PAE', 'VMXE']);
  expect(setBits('CR0', 1n << 40n, definition)).toEqual(['bit40']);
  expect(setBits('RAX', 0xffn, definition)).toEqual([]);
});

it('shows a processor in one screen', () => {
  const [processor] = state.processors;
  const text = registerTable(definition, processor as NonNullable<typeof processor>, undefined, PLAIN);
  expect(text).toMatch(/^processor 0: active, 0 cycles\n {2}RAX {2}[\d_a-f]{19} {2}RSP/);
  expect(text).toContain('CR4        0000_0000_0000_0020  PAE\n');
  expect(text).toMatch(/\n {2}CS {4}0008 /);
  expect(text.split('\n').length).toBeLessThan(32);
});

it('says which bits came and went', () => {
  const difference = { location: 'processor/1/CR4', before: 0x20n, after: 0x2000n };
  expect(bitChanges(difference, definition)).toBe('+VMXE -PAE');
});
