// The tables of docs/command-line.md, made from the rows that parse the command line.
import { EXIT } from '../../packages/cli/src/exit-status.js';
import { OPTIONS, type OptionRow, type Options } from '../../packages/cli/src/option-table.js';
import { VERBS } from '../../packages/cli/src/verb-table.js';
import type { Parts } from './generated-documents.js';
import { code, table } from './markdown.js';

/** Every verb takes these. */
const EVERYWHERE: readonly (keyof Options)[] = ['json', 'debug'];

const MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  done: 'done',
  failed: 'the guest, a check or a verification failed',
  usage: 'wrong usage',
  unreadable: 'an input cannot be read',
};

/** The parts of the page. */
export function commandParts(): Parts {
  return {
    verbs: table(
      ['Verb', 'What it does'],
      Object.entries(VERBS).map(([name, { operands, summary }]) => [code(`${name} ${operands}`.trim()), summary]),
    ),
    options: table(['Option', 'Meaning', 'Verbs'], (Object.keys(OPTIONS) as (keyof Options)[]).map(optionRow)),
    'exit-statuses': table(
      ['Status', 'Meaning'],
      (Object.keys(EXIT) as (keyof typeof EXIT)[]).map((name) => [EXIT[name], MEANINGS[name]]),
    ),
  };
}

function optionRow(name: keyof Options): readonly string[] {
  const { flags, description }: OptionRow = OPTIONS[name];
  const verbs = Object.entries(VERBS).filter(([, { options }]) => options.includes(name));
  const where = EVERYWHERE.includes(name) ? 'all' : verbs.map(([verb]) => code(verb)).join(' ');
  return [code(flags), description, where];
}
