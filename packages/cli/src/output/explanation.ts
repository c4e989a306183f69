// The answer of `why`: what failed, which rules it violated with their sections, what each rule read, and who wrote that.
import {
  type Citation,
  type ExplainedViolation,
  type Explanation,
  formatCitation,
  type MachineDefinition,
  type ReadField,
} from '@retrovisor/core';
import type { Colours } from './colour.js';
import { valueText } from './hexadecimal.js';
import { faultText, outcomeText } from './outcome.js';
import { setBits } from './register-table.js';
import { stepDocument } from './step-list.js';
import { indented, table } from './table.js';

/** The explanation for JSON. */
export function explanationDocument({ step, outcome, chain, violations, hazards }: Explanation): unknown {
  return {
    step: stepDocument(step),
    outcome,
    chain,
    violations: violations.map(({ fields, manual, note, ...violation }) => ({
      ...violation,
      manual: manual ?? null,
      note: note ?? null,
      fields: fields.map(({ location, value, writer }) => ({
        location,
        value: value ?? null,
        writer: writer === undefined ? null : stepDocument(writer),
      })),
    })),
    hazards,
  };
}

/** The explanation for people. */
export function explanationText(explanation: Explanation, definition: MachineDefinition, colours: Colours): string {
  const { step, outcome, chain, violations, hazards } = explanation;
  const where = [
    `position ${step.position}`,
    ...(step.processor === undefined ? [] : [`processor ${step.processor}`]),
  ].join(', ');
  const parts = [
    `${colours.bold(step.text)} at ${where}: ${colours.red(outcomeText(outcome) || outcome.kind)}`,
    ...(chain.length < 2 ? [] : [chainText(explanation, colours)]),
    ...violations.map((violation) => violationText(violation, definition, colours)),
    ...hazards.map(({ hazard, facts }) => hazardText(definition, hazard, facts, colours)),
  ];
  return parts.join('\n\n');
}

/** From the first exception to the one that nobody could take. */
function chainText({ chain }: Explanation, colours: Colours): string {
  const rows = chain.map((fault, index) => [
    index === 0 ? 'first' : 'then',
    colours.red(faultText(fault)),
    fault.rule ?? '',
  ]);
  return indented(table([], rows, colours));
}

function violationText(
  { rule, manual, explain, note, decided, fields }: ExplainedViolation,
  definition: MachineDefinition,
  colours: Colours,
): string {
  const title = `${colours.yellow(rule)}${decided ? '' : colours.dim('  also violated')}`;
  const body = [
    ...(manual === undefined ? [] : [sectionText(manual, colours)]),
    explain,
    ...(note === undefined ? [] : [colours.dim(`Note: ${note}`)]),
    ...(fields.length === 0
      ? []
      : [
          '',
          table(
            ['read', 'value', 'written by'],
            fields.map((field) => fieldRow(field, definition, colours)),
            colours,
          ),
        ]),
  ];
  return `${title}\n${indented(body.join('\n'))}`;
}

function sectionText(manual: Citation, colours: Colours): string {
  return colours.cyan(formatCitation(manual));
}

function fieldRow(
  { location, value, writer }: ReadField,
  definition: MachineDefinition,
  colours: Colours,
): readonly string[] {
  const register = location.replace(/^processor\/\d+\//, '');
  const bits = typeof value === 'bigint' ? setBits(register, value, definition).join(' ') : '';
  const blame =
    writer === undefined
      ? colours.dim('nobody since position 0')
      : `position ${colours.bold(String(writer.position))}: ${writer.text}`;
  return [location, [valueText(value), bits].filter((part) => part !== '').join(' '), blame];
}

function hazardText(
  { hazards }: MachineDefinition,
  id: string,
  facts: Readonly<Record<string, unknown>>,
  colours: Colours,
): string {
  const hazard = hazards.get(id);
  const rows = Object.entries(facts).map(([name, fact]) => [name, valueText(fact)]);
  const body = [
    ...(hazard === undefined ? [] : [sectionText(hazard.manual, colours), hazard.explain]),
    table([], rows, colours),
  ];
  return `${colours.yellow(`hazard ${id}`)}\n${indented(body.join('\n'))}`;
}

/** The step that is most worth looking at next: the writer of what the deciding rule read, or else of any rule. */
export function stepToBlame({
  violations,
}: Explanation): { readonly location: string; readonly position: number } | undefined {
  const ordered = violations.toSorted((one, other) => Number(other.decided) - Number(one.decided));
  for (const { fields } of ordered) {
    for (const { location, writer } of fields) if (writer !== undefined) return { location, position: writer.position };
  }
  return undefined;
}
