// Rules are data: every architectural check is a row with an id, a section, the fields it reads, a guard, a claim, a
// result and a sentence. The same row decides an instruction, explains its failure, lints a dump and makes its tests.

import type { Faulted } from '../event/outcome.js';
import { GuestFault } from '../interrupt/exceptions.js';
import type { Citation } from '../manual/citation.js';

/** A row as it is written. `Subject` is what the table checks; `Result` is what a violation leads to. */
export interface RuleRow<Subject, Result> {
  /** `package.phase.area.subject`, kebab-case, for ever. */
  readonly id: string;
  /** The locations that the claim reads (timeline/location.ts grammar), for values and blame; may depend on the subject. */
  readonly fields?: readonly string[] | ((subject: Subject) => readonly string[]);
  /** The check is made only where this holds. */
  readonly appliesWhen?: (subject: Subject) => boolean;
  /** What the architecture requires. Pure and total, but for a row that reads an operand: that may raise a GuestFault. */
  readonly holds: (subject: Subject) => boolean;
  /** One sentence: what is required and what to do. */
  readonly explain: string;
  /** Where the manual is silent, wrong or ambiguous. */
  readonly note?: string;
  /** Overrides of what the table says once. */
  readonly manual?: Citation;
  readonly result?: Result;
  /** Of an instruction: the check comes before a plugin may intercept, as those for #UD do. */
  readonly precedesIntercepts?: boolean;
}

/** A row with nothing left out. */
export interface Rule<Subject, Result> {
  readonly id: string;
  readonly manual: Citation;
  readonly fields: (subject: Subject) => readonly string[];
  readonly appliesWhen: (subject: Subject) => boolean;
  readonly holds: (subject: Subject) => boolean;
  readonly explain: string;
  readonly note?: string;
  readonly result: Result;
  readonly precedesIntercepts?: boolean;
}

/** A table of rules in the manual's order. */
export type RuleTable<Subject, Result> = readonly Rule<Subject, Result>[];

/**
 * Declares a table of checks. Section and result are said once; a row may override either.
 * @example defineRules(sdm('HLT—Halt'), GP(0), [{ id: 'example.size', holds: (bytes: number) => bytes > 0, explain: 'Give it a size.' }])
 */
export function defineRules<Subject, Result>(
  manual: Citation,
  result: Result,
  rows: readonly RuleRow<Subject, Result>[],
): RuleTable<Subject, Result> {
  return rows.map((row) => completeRow(manual, result, row));
}

function completeRow<Subject, Result>(
  manual: Citation,
  result: Result,
  row: RuleRow<Subject, Result>,
): Rule<Subject, Result> {
  const { fields = [], note } = row;
  // The same properties in the same order for each: rows are looked at before every instruction that has them.
  return Object.freeze({
    id: row.id,
    manual: row.manual ?? manual,
    fields: typeof fields === 'function' ? fields : () => fields,
    appliesWhen: row.appliesWhen ?? always,
    holds: row.holds,
    explain: row.explain,
    result: row.result ?? result,
    precedesIntercepts: row.precedesIntercepts ?? false,
    ...(note === undefined ? {} : { note }),
  });
}

const always = (): boolean => true;

/** How one rule ended: violated, or abandoned by an exception raised while its operand was read. */
export interface Violation<Subject, Result> {
  readonly rule: Rule<Subject, Result>;
  readonly fault?: Faulted;
}

/** The first violated rule in the table's order, or in a part of it: what decides an instruction. */
export function firstViolation<Subject, Result>(
  rules: RuleTable<Subject, Result>,
  subject: Subject,
  first = 0,
  end = rules.length,
): Violation<Subject, Result> | undefined {
  let current: Rule<Subject, Result> | undefined;
  try {
    for (let index = first; index < end; index++) {
      current = rules[index] as Rule<Subject, Result>;
      if ((current.appliesWhen === always || current.appliesWhen(subject)) && !current.holds(subject))
        return { rule: current };
    }
    return undefined;
  } catch (thrown) {
    return abandoned(current as Rule<Subject, Result>, thrown);
  }
}

/** Every violated rule in the table's order: what `why` shows. */
export function allViolations<Subject, Result>(
  rules: RuleTable<Subject, Result>,
  subject: Subject,
): readonly Violation<Subject, Result>[] {
  return rules.flatMap((rule) => violationOf(rule, subject) ?? []);
}

function violationOf<Subject, Result>(
  rule: Rule<Subject, Result>,
  subject: Subject,
): Violation<Subject, Result> | undefined {
  try {
    return !rule.appliesWhen(subject) || rule.holds(subject) ? undefined : { rule };
  } catch (thrown) {
    return abandoned(rule, thrown);
  }
}

/** A row that reads an operand was left by the exception that the read raised. */
function abandoned<Subject, Result>(rule: Rule<Subject, Result>, thrown: unknown): Violation<Subject, Result> {
  if (thrown instanceof GuestFault) return { rule, fault: { ...thrown.raised, rule: rule.id } };
  throw thrown;
}
