import { expect, it } from 'vitest';
import { VM_INSTRUCTION_ERRORS } from '../src/instruction-errors.js';
import { ERROR_ENTRIES } from './support/inventory.js';

it('has a meaning for every VM-instruction error number that is used', () => {
  const used = ERROR_ENTRIES.filter(({ reserved }) => reserved !== true).map(({ number }) => number);
  expect(Object.keys(VM_INSTRUCTION_ERRORS).map(Number)).toEqual(used);
});
