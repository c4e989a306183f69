// Outcomes in the manuals' words: `#GP(0)`, `VMfailValid 7`, `shutdown after #PF, #DF, #DF`.
import { type Faulted, isFailure, type Outcome } from '@retrovisor/core';
import type { Colours } from './colour.js';
import { hex, valueText } from './hexadecimal.js';

/** An outcome in a few words, without its rule. Empty for one that has nothing to say. */
export function outcomeText(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'completed':
      return 'value' in outcome && outcome.value !== undefined ? `= ${valueText(outcome.value)}` : '';
    case 'halted':
      return 'halted';
    case 'fault':
      return faultText(outcome as Faulted);
    case 'shutdown': {
      const { chain } = outcome as { chain: readonly Faulted[] };
      return chain.length === 0 ? 'shutdown' : `shutdown after ${chain.map(faultText).join(', ')}`;
    }
    default:
      return pluginText(outcome);
  }
}

/** An exception with its error code, and the address of a page fault. */
export function faultText({ vector, errorCode, address }: Faulted): string {
  const code = errorCode === undefined ? '' : `(${errorCode < 10 ? errorCode : hex(errorCode)})`;
  return `${vector}${code}${address === undefined ? '' : ` at ${hex(address)}`}`;
}

/** `vmx/VMfailValid` and its facts: numbers and words as they are, the rest by name. */
function pluginText(outcome: Outcome): string {
  const { kind, rule: _rule, hazards: _hazards, ...facts } = outcome as Readonly<Record<string, unknown>>;
  const words = Object.entries(facts).map(([name, fact]) => {
    if (name === 'value') return `= ${valueText(fact)}`;
    if (name === 'meaning') return `(${String(fact)})`;
    return typeof fact === 'number' || typeof fact === 'string' ? String(fact) : `${name} ${valueText(fact)}`;
  });
  return [String(kind).replace(/^.*\//, ''), ...words].join(' ');
}

/** The rule that decided an outcome. */
export function ruleOf(outcome: Outcome): string | undefined {
  return 'rule' in outcome ? (outcome.rule as string | undefined) : undefined;
}

/** An outcome as it is marked in a list: failures in red with their rule, hazards counted in yellow. */
export function markedOutcome(outcome: Outcome, colours: Colours): string {
  const text = outcomeText(outcome);
  const rule = ruleOf(outcome);
  const hazards =
    'hazards' in outcome ? ((outcome.hazards as readonly { readonly hazard: string }[] | undefined) ?? []) : [];
  const parts = [
    isFailure(outcome) ? colours.red(text) : text,
    rule === undefined ? '' : colours.dim(rule),
    ...hazards.map(({ hazard }) => colours.yellow(`hazard ${hazard}`)),
  ];
  return parts.filter((part) => part !== '').join('  ');
}
