import { fc, test } from '@fast-check/vitest';
import { allViolations } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { ENTRY_CHECKS, type RecordedVmcs, recordedState, roundedVmcs, VMCS_FIELDS } from '../../src/index.js';
import { MODERN } from '../support/entry-processors.js';
import { BASE_NAMES, edited, recordedVmcs } from '../support/entry-states.js';

const CHECKS = Object.values(ENTRY_CHECKS).flat();
const violatedBy = (recorded: RecordedVmcs) =>
  allViolations(CHECKS, recordedState(recorded)).map(({ rule }) => rule.id);

const noise: fc.Arbitrary<RecordedVmcs['fields']> = fc
  .tuple(...VMCS_FIELDS.map(({ bytes }) => fc.bigInt({ min: 0n, max: (1n << BigInt(bytes * 8)) - 1n })))
  .map((values) => Object.fromEntries(VMCS_FIELDS.map(({ name }, index) => [name, values[index]])));

const valid: fc.Arbitrary<RecordedVmcs> = fc
  .tuple(fc.constantFrom(...BASE_NAMES), fc.constantFrom(...MODERN))
  .map(([base, processor]) => recordedVmcs(edited(base, processor, [])));

describe('random fields', () => {
  test.prop([noise, valid], { numRuns: 100 })('rounded to valid ones violate no check', (fields, near) => {
    expect(violatedBy(roundedVmcs(fields, near))).toEqual([]);
  });

  test.prop([noise, valid], { numRuns: 20 })('keep what no check refuses', (fields, near) => {
    const rounded = roundedVmcs(fields, near).fields;
    expect(rounded['Guest RSP']).toBe(fields['Guest RSP']);
    expect(rounded['Exception bitmap']).toBe(fields['Exception bitmap']);
    expect(roundedVmcs(rounded, near).fields).toEqual(rounded);
  });
});

it('refuses to round to a VMCS that is not valid', () => {
  const near = recordedVmcs(edited('long', 'intel-server', []));
  const broken = { ...near, fields: { ...near.fields, 'Guest RFLAGS': 0n } };
  expect(() => roundedVmcs(broken.fields, broken)).toThrow(/vmx\.entry\.guest\.rflags\.reserved/);
});
