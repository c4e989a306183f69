// Rules in words, by id: of instructions, of what no instruction owns, and of nobody.
import { expect, it } from 'vitest';
import { explainRule } from '../../src/index.js';
import { bootedMachine } from '../support/booted-machine.js';

it('a rule is explained by its id alone', () => {
  const { definition } = bootedMachine();
  expect(explainRule(definition, 'core.idt.limit')?.explain).toContain('IDTR.limit');
  const [rdmsr] = [...definition.instructions.values()].filter(({ mnemonic }) => mnemonic === 'RDMSR');
  const row = rdmsr?.form === 'function' ? rdmsr.checks[0] : undefined;
  expect(explainRule(definition, row?.id ?? '')).toEqual({ manual: row?.manual, explain: row?.explain });
  expect(explainRule(definition, 'core.no-such-rule')).toBeUndefined();
});
