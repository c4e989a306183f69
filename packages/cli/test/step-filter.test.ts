import { describe, expect, it } from 'vitest';
import { compileFilter } from '../src/step-filter.js';
import { failedSteps } from './recorded.js';

const steps = failedSteps();
const positions = (expression: string) => steps.filter(compileFilter(expression)).map(({ position }) => position);

describe('--where', () => {
  it.each([
    ['failed', [2]],
    ['position >= 1 && !failed', [1]],
    ['text.contains("movToCr4")', [0, 1]],
    ['vector == "#UD"', [2]],
    ['rule.startsWith("vmx.")', [2]],
    ['event == "processor/intrinsicExecuted" && processor == 0', [0, 1, 2]],
    ['address == -1', [0, 1, 2]],
    ['address > 0xffffffff80000000', []],
    ['outcome.contains("#UD")', [2]],
    ['hazards.exists(id, id.startsWith("vmx."))', []],
  ])('%s selects', (expression, expected) => {
    expect(positions(expression)).toEqual(expected);
  });

  it.each([
    ['position +', 'EOF'],
    ['speed > 3', 'Unknown variable: speed'],
    ['position', 'true or false'],
    ['position == "1"', 'overload'],
    ['constructor("x")', 'constructor'],
  ])('%s is refused before anything is replayed', (expression, reason) => {
    expect(() => compileFilter(expression)).toThrow(reason);
  });
});
