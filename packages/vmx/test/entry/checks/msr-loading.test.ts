import { allViolations } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { MSR_LOAD_CHECKS, type MsrAreaEntry } from '../../../src/entry/checks/msr-loading.js';
import { ENTRY_CHECK_ENTRIES } from '../../support/inventory.js';

const PAT: MsrAreaEntry = { index: 0x277, reserved: 0, inSmm: false, writeFaults: () => false };

/** By rule: an entry that violates it, and the nearest one that does not. */
const PAIRS: Readonly<Record<string, readonly [Partial<MsrAreaEntry>, Partial<MsrAreaEntry>]>> = {
  'vmx.entry.msr.bits-hi': [{ reserved: 1 }, { reserved: 0 }],
  'vmx.entry.msr.fs-gs-base': [{ index: 0xc000_0101 }, { index: 0xc000_0102 }],
  'vmx.entry.msr.x2apic': [{ index: 0x8ff }, { index: 0x900 }],
  'vmx.entry.msr.smm': [{ index: 0x9b }, { index: 0x9b, inSmm: true }],
  'vmx.entry.msr.smbase': [{ index: 0x79 }, { index: 0x7a }],
  'vmx.entry.msr.wrmsr-fault': [{ writeFaults: () => true }, {}],
};

const violatedBy = (entry: Partial<MsrAreaEntry>) =>
  allViolations(MSR_LOAD_CHECKS, { ...PAT, ...entry }).map(({ rule }) => rule.id);

describe.each(Object.entries(PAIRS))('%s', (id, [violating, passing]) => {
  it('is the only check that an entry violates', () => {
    expect(violatedBy(violating)).toEqual([id]);
  });

  it('is satisfied by the nearest entry', () => {
    expect(violatedBy(passing)).toEqual([]);
  });
});

it('has a row for each entry of the inventory, in its order', () => {
  const wanted = ENTRY_CHECK_ENTRIES.filter(({ group, id }) => group === 'msr-load' && id !== 'entry.msr.count-max');
  expect(MSR_LOAD_CHECKS.map(({ id }) => id)).toEqual(wanted.map(({ id }) => `vmx.${id}`));
  expect(Object.keys(PAIRS)).toEqual(MSR_LOAD_CHECKS.map(({ id }) => id));
});
