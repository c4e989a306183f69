// A function-form instruction: its checks in the manual's order, then its effect. Fetched instructions and intrinsics
// come through here.
import type { Outcome } from '../event/outcome.js';
import type { Execution, FunctionInstruction } from '../instruction/define.js';
import { GuestFault } from '../interrupt/exceptions.js';
import { firstViolation } from '../rule/rule.js';

/** Nothing returned means completed. @throws GuestFault for a check whose result is an exception, or that an access raises */
export function executeChecked(
  execution: Execution,
  { checks, effect }: Pick<FunctionInstruction, 'checks' | 'effect'>,
): Outcome | void {
  const violation = firstViolation(checks, execution);
  if (violation === undefined) return effect(execution.cpu, execution.operands, execution.operandWidth);
  const { rule, fault } = violation;
  if (fault !== undefined) throw new GuestFault(fault);
  if (typeof rule.result === 'function') return { ...rule.result(execution), rule: rule.id } as Outcome;
  throw new GuestFault({ ...rule.result, rule: rule.id });
}
