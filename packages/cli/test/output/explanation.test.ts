import type { Explanation } from '@retrovisor/core';
import { expect, it } from 'vitest';
import { PLAIN } from '../../src/output/colour.js';
import { explanationDocument, explanationText, stepToBlame } from '../../src/output/explanation.js';
import { failedMachine } from '../recorded.js';

const machine = failedMachine();
const explanation = machine.timeline().why() as Explanation;

it('tells rule, section, values and who wrote them', () => {
  const text = explanationText(explanation, machine.definition, PLAIN);
  expect(text).toMatch(/^vmxon\(0x200000\) at position 2, processor 0: #UD\n\nvmx\.vmxon\.cr4-vmxe\n {2}SDM, "VMXON/);
  expect(text).toMatch(/processor\/0\/CR4\.VMXE {2}0x0 {4}position 1: movToCr4\(0x20\)/);
  expect(text).toContain('also violated');
});

it('blames the write of what the deciding rule read', () => {
  expect(stepToBlame(explanation)).toEqual({ location: 'processor/0/CR4.VMXE', position: 1 });
});

it('is plain data for JSON', () => {
  const document = explanationDocument(explanation) as { readonly violations: readonly unknown[] };
  expect(document).toMatchObject({ step: { position: 2, text: 'vmxon(0x200000)', failed: true }, chain: [] });
  expect(document.violations[0]).toMatchObject({
    rule: 'vmx.vmxon.cr4-vmxe',
    decided: true,
    manual: { manual: 'SDM' },
    fields: [{ location: 'processor/0/CR4.VMXE', value: 0n, writer: { position: 1 } }],
  });
  expect(document.violations[1]).toMatchObject({ rule: 'vmx.vmxon.cr4-fixed', decided: false });
});
