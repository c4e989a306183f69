// `--where`: a condition on steps in the Common Expression Language, checked before anything is replayed. The language has
// no loops and no access to anything but the fields here: an expression from a stranger is as harmless as it looks.
import { Environment } from '@marcbachmann/cel-js';
import { type Faulted, isFailure, type Step } from '@retrovisor/core';
import { UsageError } from './input-error.js';
import { outcomeText, ruleOf } from './output/outcome.js';

/** What an expression can ask of a step, and how the step answers. Where there is nothing, text is empty and numbers are -1. */
const FIELDS = {
  position: { type: 'int', of: ({ position }: Step) => BigInt(position) },
  processor: { type: 'int', of: ({ processor }: Step) => BigInt(processor ?? -1) },
  address: { type: 'int', of: ({ address }: Step) => address ?? -1n },
  event: { type: 'string', of: ({ event }: Step) => event.type },
  text: { type: 'string', of: ({ text }: Step) => text },
  outcome: { type: 'string', of: ({ outcome }: Step) => `${outcome.kind} ${outcomeText(outcome)}`.trim() },
  vector: { type: 'string', of: ({ outcome }: Step) => (outcome.kind === 'fault' ? (outcome as Faulted).vector : '') },
  rule: { type: 'string', of: ({ outcome }: Step) => ruleOf(outcome) ?? '' },
  failed: { type: 'bool', of: ({ outcome }: Step) => isFailure(outcome) },
  hazards: { type: 'list<string>', of: ({ outcome }: Step) => hazardsOf(outcome) },
} as const;

function hazardsOf(outcome: Step['outcome']): readonly string[] {
  const hazards =
    'hazards' in outcome ? (outcome.hazards as readonly { readonly hazard: string }[] | undefined) : undefined;
  return (hazards ?? []).map(({ hazard }) => hazard);
}

/** Makes a predicate of an expression. @throws UsageError WHERE that says what is wrong with it */
export function compileFilter(expression: string): (step: Step) => boolean {
  const environment = new Environment();
  for (const [name, { type }] of Object.entries(FIELDS)) environment.registerVariable(name, type);
  const compiled = refusing(expression, () => environment.parse(expression));
  const { valid, type, error } = compiled.check();
  if (!valid) throw filterError(expression, error?.message ?? 'it cannot be checked');
  if (type !== 'bool') throw filterError(expression, `it is of type ${type}, where true or false is expected`);
  return (step) => {
    const context = Object.fromEntries(Object.entries(FIELDS).map(([name, { of }]) => [name, of(step)]));
    return refusing(expression, () => compiled(context)) === true;
  };
}

function refusing<Result>(expression: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw filterError(expression, (error as Error).message);
  }
}

function filterError(expression: string, why: string): UsageError {
  const fields = Object.keys(FIELDS);
  const sentence = why.split('\n')[0] ?? why;
  return new UsageError(
    'WHERE',
    { expression, why, fields },
    `--where ${expression}: ${sentence}; there are the fields ${fields.join(', ')}`,
  );
}
