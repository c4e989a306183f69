// From anything to a machine description, or to one error that lists everything that is wrong with it.
import { UsageError } from '@retrovisor/core';
import * as v from 'valibot';
import { consistencyProblems, type DescriptionProblem } from './description-checks.js';
import { MACHINE_DESCRIPTION } from './description-schema.js';
import type { MachineDescription } from './machine-description.js';

/**
 * Checks a machine description and hands back a frozen copy.
 *
 * @throws UsageError `BAD_MACHINE_DESCRIPTION`; its details have `problems`: place, what was found, what is accepted
 * @example parseMachineDescription(JSON.parse(text)).nodes.length
 */
export function parseMachineDescription(value: unknown): MachineDescription {
  const result = v.safeParse(MACHINE_DESCRIPTION, value);
  if (!result.success) throw refusal(result.issues.map(problemOf));
  const problems = consistencyProblems(result.output);
  if (problems.length > 0) throw refusal(problems);
  return deepFreeze(result.output);
}

function problemOf(issue: v.BaseIssue<unknown>): DescriptionProblem {
  return { place: v.getDotPath(issue) ?? 'description', found: issue.input, accepted: acceptedBy(issue) };
}

/** A check of ours has its sentence as message; for the library's own, what it expected is shorter. */
function acceptedBy(issue: v.BaseIssue<unknown>): string {
  if (issue.type === 'check' || issue.type === 'regex') return issue.message;
  return issue.expected === 'never' ? 'no such member' : (issue.expected ?? issue.message);
}

function refusal(problems: readonly DescriptionProblem[]): UsageError {
  const sentences = problems.map(
    ({ place, found, accepted }) => `${place} is ${shown(found)}: ${accepted} is accepted`,
  );
  return new UsageError(
    'BAD_MACHINE_DESCRIPTION',
    { problems },
    `This machine description cannot be: ${sentences.join('; ')}.`,
  );
}

function shown(found: unknown): string {
  if (found === undefined) return 'absent';
  return typeof found === 'number' || typeof found === 'bigint'
    ? `${found}`
    : (JSON.stringify(found) ?? typeof found).slice(0, 60);
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member);
    Object.freeze(value);
  }
  return value;
}
