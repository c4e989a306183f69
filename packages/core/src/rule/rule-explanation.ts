// What a rule demands, by its id alone: for whoever has an outcome and no timeline to ask why.
import { explanationOf } from '../interrupt/fault-explanations.js';
import type { Citation } from '../manual/citation.js';
import type { MachineDefinition } from '../plugin/host.js';

/** A rule in words. */
export interface RuleExplanation {
  readonly manual: Citation | undefined;
  readonly explain: string;
}

/** The rule of an instruction, of core or of a plugin; undefined for an id that nobody declares. */
export function explainRule({ instructions, plugins }: MachineDefinition, id: string): RuleExplanation | undefined {
  for (const instruction of instructions.values()) {
    const rows = instruction.form === 'function' ? [...instruction.checks, ...instruction.effectChecks] : [];
    const row = rows.find((check) => check.id === id);
    if (row !== undefined) return { manual: row.manual, explain: row.explain };
  }
  return explanationOf(id, plugins);
}
