// The checks of VM entry as rows of VMLAUNCH and VMRESUME, so that the table decides the instruction and `why` shows all rows
// that are violated.
import { type CheckResult, type Cpu, type Execution, InternalError, type Rule } from '@retrovisor/core';
import { failEntry } from '../exit/leave-guest.js';
import { fail } from '../status.js';
import { hasCurrentVmcs } from '../vmx-operation.js';
import type { EntryCheck, EntryFailure } from './checks/entry-check.js';
import { loadControls } from './enter-guest.js';
import { ALL_ENTRY_CHECKS, EntryAttempt } from './entry-attempt.js';

/** The attempt whose rows are being looked at: made by the first row. */
let attempt: EntryAttempt | undefined;

function attemptOf(cpu: Cpu, isFirst: boolean): EntryAttempt {
  if (isFirst || attempt === undefined) attempt = new EntryAttempt(cpu);
  return attempt;
}

/** The attempt whose checks were just made, all of them passed. */
export function passedAttempt(): EntryAttempt {
  if (attempt === undefined) throw new InternalError('an entry without checks');
  const passed = attempt;
  attempt = undefined;
  return passed;
}

const resultOf = (failure: EntryFailure): CheckResult =>
  failure.kind === 'VMfailValid'
    ? fail(failure.number)
    : ({ cpu }) => {
        loadControls(cpu);
        return failEntry(cpu, failure.reason, BigInt(failure.qualification));
      };

function rowOf(check: EntryCheck, index: number): Rule<Execution, CheckResult> {
  const { id, manual, explain, note, result } = check;
  return Object.freeze({
    id,
    manual,
    fields: ({ cpu }: Execution) => (hasCurrentVmcs(cpu) ? check.fields(attemptOf(cpu, false).state) : []),
    appliesWhen: ({ cpu }: Execution) => {
      if (!hasCurrentVmcs(cpu)) return false;
      const current = attemptOf(cpu, index === 0);
      return current.isDue(index) && check.appliesWhen(current.state);
    },
    holds: ({ cpu }: Execution) => check.holds(attemptOf(cpu, false).state),
    explain,
    result: resultOf(result),
    ...(note === undefined ? {} : { note }),
  });
}

/** In the manual's order. */
export const ENTRY_RULES: readonly Rule<Execution, CheckResult>[] = ALL_ENTRY_CHECKS.map(rowOf);
