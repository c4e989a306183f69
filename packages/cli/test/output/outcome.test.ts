import { completed, fault } from '@retrovisor/core';
import { vmFailValid, vmSucceed } from '@retrovisor/vmx';
import { expect, it } from 'vitest';
import { PLAIN } from '../../src/output/colour.js';
import { markedOutcome, outcomeText } from '../../src/output/outcome.js';

it.each([
  [completed(), ''],
  [completed(5n), '= 0x5'],
  [fault('#UD'), '#UD'],
  [fault('#GP', { errorCode: 0 }), '#GP(0)'],
  [fault('#PF', { errorCode: 0x11, address: 0x1000n }), '#PF(0x11) at 0x1000'],
  [{ kind: 'halted' } as const, 'halted'],
  [{ kind: 'shutdown', chain: [fault('#UD'), fault('#DF', { errorCode: 0 })] } as const, 'shutdown after #UD, #DF(0)'],
  [vmSucceed(), 'VMsucceed'],
  [vmSucceed({ value: 0x1000n }), 'VMsucceed = 0x1000'],
])('%o is written as the manuals do', (outcome, text) => {
  expect(outcomeText(outcome)).toBe(text);
});

it('adds the rule that decided and the hazards', () => {
  const outcome = vmFailValid(13, { rule: 'vmx.vmwrite.read-only' });
  expect(markedOutcome(outcome, PLAIN)).toMatch(/^VMfailValid 13 \(.+\) {2}vmx\.vmwrite\.read-only$/);
  const report = { hazard: 'vmx.hazard.vmclear-elsewhere', position: 1, processor: 0, facts: {} };
  expect(markedOutcome(vmSucceed({ hazards: [report] }), PLAIN)).toBe('VMsucceed  hazard vmx.hazard.vmclear-elsewhere');
});
