import { allViolations } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import type { EntryCheck, EntryFailure } from '../../../src/entry/checks/entry-check.js';
import { ENTRY_CHECKS, type EntryCheckGroup } from '../../../src/entry/checks/entry-checks.js';
import { MODERN, type ProcessorName } from '../../support/entry-processors.js';
import { BASE_NAMES, type BaseName, type Edit, edited, entryState, primary, put } from '../../support/entry-states.js';
import { ENTRY_VIOLATIONS, type EntryViolation } from '../../support/entry-violations.js';
import { ENTRY_CHECK_ENTRIES } from '../../support/inventory.js';

/** Entries of the inventory that have no row, and why. */
const NOT_HERE: Readonly<Record<string, string>> = {
  'entry.basic.current': 'a check of VMLAUNCH and VMRESUME: it needs no VMCS',
  'entry.basic.not-shadow': 'a check of VMLAUNCH and VMRESUME',
  'entry.basic.mov-ss': 'a check of VMLAUNCH and VMRESUME',
  'entry.basic.launch-state': 'a check of VMLAUNCH and VMRESUME',
  'entry.guest.order': 'a remark on the order, no check',
  ...Object.fromEntries(
    ENTRY_CHECK_ENTRIES.filter(({ group }) => group === 'msr-load').map(({ id }) => [id, 'in msr-loading.test.ts']),
  ),
  'entry.mce': 'machine checks are not modelled',
  'entry.smm.exec-ptr': 'SMM is not modelled',
  'entry.smm.launched': 'SMM is not modelled',
  'entry.smm.vmxon': 'SMM is not modelled',
  'entry.smm.exec-controls': 'SMM is not modelled',
  'entry.smm.in-smm': 'SMM is not modelled',
};

const GROUPS = Object.entries(ENTRY_CHECKS) as readonly [EntryCheckGroup, (typeof ENTRY_CHECKS)[EntryCheckGroup]][];
const CHECKS = GROUPS.flatMap(([group, table]) => table.map((check) => ({ id: check.id, group, check })));

const GROUP_OF: Readonly<Record<string, EntryCheckGroup>> = {
  control: 'controls',
  host: 'hostState',
  guest: 'guestState',
};

function violatedBy(base: BaseName, processor: ProcessorName, edits: readonly Edit[], group?: EntryCheckGroup) {
  const state = entryState(edited(base, processor, edits));
  const table: readonly EntryCheck[] = group === undefined ? CHECKS.map(({ check }) => check) : ENTRY_CHECKS[group];
  return allViolations(table, state).map(({ rule }) => rule.id);
}

function violation(id: string): Required<Omit<EntryViolation, 'satisfiedByGuard'>> & EntryViolation {
  const found = ENTRY_VIOLATIONS[id];
  if (found === undefined) throw new Error(`no way to violate ${id}`);
  return { base: 'long', processor: 'intel-server', given: [], satisfy: [], implies: [], ...found };
}

/** What the inventory says of a result. */
function printedResult(id: string): EntryFailure {
  const { result, qualification } = ENTRY_CHECK_ENTRIES.find((entry) => `vmx.${entry.id}` === id) ?? { result: '' };
  const number = /^VMfail\(([78])\)$/.exec(result)?.[1];
  if (number !== undefined) return { kind: 'VMfailValid', number: Number(number) as 7 | 8 };
  return { kind: 'entry failure', reason: 33, qualification: qualification as 0 };
}

describe('the inventory', () => {
  it('has a row for each entry, in its order and group', () => {
    const wanted = ENTRY_CHECK_ENTRIES.filter(({ id }) => !(id in NOT_HERE));
    const sections = [...new Set(wanted.map(({ section }) => section))];
    const sorted = sections.flatMap((section) => wanted.filter((entry) => entry.section === section));
    expect(CHECKS.map(({ id, group, check }) => [id, group, check.manual.title])).toEqual(
      sorted.map(({ id, group, section }) => [`vmx.${id}`, GROUP_OF[group.split('.')[0] ?? ''], section]),
    );
  });

  it('knows every entry that has none', () => {
    const ids = ENTRY_CHECK_ENTRIES.map(({ id }) => id);
    expect(Object.keys(NOT_HERE).filter((id) => !ids.includes(id))).toEqual([]);
  });
});

describe.each(BASE_NAMES)('the state %s', (base) => {
  it.each(MODERN)('passes every check on %s', (processor) => {
    expect(violatedBy(base, processor, [])).toEqual([]);
  });
});

describe('a processor of the first generation', () => {
  /** Without TRUE capability MSRs every default1 control must be 1. */
  const default1: readonly Edit[] = [
    put('Primary processor-based VM-execution controls', 0x0401_e172n),
    put('Primary VM-exit controls', 0x3_6fffn),
    put('VM-entry controls', 0x11ffn),
  ];

  it('accepts a guest with paging', () => {
    expect(violatedBy('paged32', 'intel-conroe', default1)).toEqual([]);
  });

  it('has none of the controls of unrestricted guests', () => {
    const edits = [...default1, primary('activate secondary controls')];
    expect(violatedBy('real', 'intel-conroe', edits, 'controls')).toContain('vmx.entry.ctl.exec.proc1-reserved');
  });

  it('requires what a newer processor lets be 0', () => {
    expect(violatedBy('paged32', 'intel-conroe', [], 'controls')).toEqual([
      'vmx.entry.ctl.exec.proc1-reserved',
      'vmx.entry.ctl.exit.reserved',
      'vmx.entry.ctl.entry.reserved',
    ]);
  });
});

it('accepts the guests of every kind on a processor of the Westmere generation', () => {
  for (const base of BASE_NAMES) expect(violatedBy(base, 'intel-gulftown', [])).toEqual([]);
});

describe.each(CHECKS)('$id', ({ id, group, check }) => {
  const own = violation(id);
  const violating = [...own.given, ...own.violate];
  const passing = [...own.given, ...own.satisfy];

  it('is the only check of its group that a state violates', () => {
    expect(violatedBy(own.base, own.processor, violating, group)).toEqual([...own.implies, id]);
  });

  it('is satisfied by the nearest state, in which every check holds', () => {
    expect(violatedBy(own.base, own.processor, passing)).toEqual([]);
    const applies = check.appliesWhen(entryState(edited(own.base, own.processor, passing)));
    expect(applies).toBe(own.satisfiedByGuard !== true);
  });

  it('ends as the inventory says', () => {
    expect(check.result).toEqual(printedResult(id));
  });
});

it('tests every row that is declared, once', () => {
  expect(Object.keys(ENTRY_VIOLATIONS).toSorted()).toEqual(CHECKS.map(({ id }) => id).toSorted());
});

it('explains every row in one sentence that says what to do', () => {
  for (const { check } of CHECKS) expect(check.explain).toMatch(/^["A-Z].{20,}\.$/);
});
