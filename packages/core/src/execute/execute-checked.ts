// A function-form instruction: its checks in the manual's order, then its effect. Fetched instructions and intrinsics
// come through here.
import type { Outcome } from '../event/outcome.js';
import type { CheckResult, Execution, FunctionInstruction } from '../instruction/define.js';
import { GuestFault } from '../interrupt/exceptions.js';
import type { MachineDefinition } from '../plugin/host.js';
import { firstViolation, type Violation } from '../rule/rule.js';
import type { Decoded } from './decode.js';

/** An instruction with those who want to see it. */
export interface CheckedInstruction
  extends Pick<FunctionInstruction, 'mnemonic' | 'checks' | 'interceptedAfter' | 'effect'> {
  readonly intercepts: ReturnType<MachineDefinition['interceptsOfInstruction']>;
}

/** Nothing returned means completed. @throws GuestFault for a check whose result is an exception, or that an access raises */
export function executeChecked(
  execution: Execution,
  { mnemonic, checks, interceptedAfter, effect, intercepts }: CheckedInstruction,
  decoded?: Decoded,
): Outcome | void {
  if (intercepts.length > 0) {
    const early = firstViolation(checks, execution, 0, interceptedAfter);
    if (early !== undefined) return violated(execution, early);
    const { operands, operandWidth } = execution;
    for (const intercept of intercepts) {
      const seen = { mnemonic, length: decoded?.length ?? 0, decoded, operands, operandWidth };
      const outcome = intercept(execution.cpu, seen);
      if (outcome !== undefined) return outcome;
    }
  }
  const violation = firstViolation(checks, execution, intercepts.length > 0 ? interceptedAfter : 0);
  if (violation !== undefined) return violated(execution, violation);
  return effect(execution.cpu, execution.operands, execution.operandWidth);
}

function violated(execution: Execution, violation: Violation<Execution, CheckResult>): Outcome {
  const { rule, fault } = violation;
  if (fault !== undefined) throw new GuestFault(fault);
  if (typeof rule.result === 'function') return { ...rule.result(execution), rule: rule.id } as Outcome;
  throw new GuestFault({ ...rule.result, rule: rule.id });
}
