// The command line, understood: which verb is meant, with what.
import { type Command, Command as CommanderCommand, CommanderError, Option } from 'commander';
import { OPTIONS, type OptionRow, type Options } from './option-table.js';
import { VERBS, type VerbCode, type VerbRow } from './verb-table.js';

/** A call of the command, understood: which verb, with what. */
export interface Call {
  readonly operands: readonly string[];
  readonly options: Options;
  readonly load: () => Promise<VerbCode>;
}

const NOTHING_SAID = { json: false, debug: false, plugin: [], fwCfg: [], edit: [], family: [] } as const;

/**
 * Reads the command line. Help and complaints are written by commander.
 * @returns undefined when there is nothing to run
 * @throws CommanderError with exit code 0 for help, anything else for wrong usage
 */
export function parseArguments(words: readonly string[], version: string): Call | undefined {
  let call: Call | undefined;
  const program = new CommanderCommand('retrovisor')
    .description('An executable, time-travelling specification of x86 virtualization.')
    .version(version, '-V, --version')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error:/, 'retrovisor:')) })
    .showHelpAfterError('retrovisor --help lists the verbs, retrovisor VERB --help says more about each.')
    .addHelpText(
      'after',
      '\nretrovisor VERB --help says more about each.\n\nExample:\n  $ retrovisor tour\n\nExit status: 0 done; 1 the guest, a check or a verification failed; 2 wrong usage; 3 unreadable input.',
    );
  for (const [name, row] of Object.entries(VERBS)) {
    addVerb(program, name, row, (operands, options) => {
      call = { operands, options, load: row.load };
    });
  }
  if (words.length === 0) program.outputHelp({ error: true });
  else program.parse(words, { from: 'user' });
  return call;
}

function addVerb(
  program: Command,
  name: string,
  row: VerbRow,
  called: (operands: readonly string[], options: Options) => void,
): void {
  const verb = program
    .command(`${name} ${row.operands}`.trim())
    .summary(row.summary)
    .description(capitalised(row.summary))
    .exitOverride();
  for (const option of [...row.options, 'json', 'debug'] as const) verb.addOption(optionFor(OPTIONS[option]));
  const examples = row.examples.map((example) => `  $ ${example}`).join('\n');
  verb.addHelpText('after', `${row.more === undefined ? '' : `${row.more}\n`}\nExample:\n${examples}`);
  verb.action(() => {
    const operands = verb.processedArgs.filter((operand): operand is string => typeof operand === 'string');
    called(operands, { ...NOTHING_SAID, ...verb.opts<Partial<Options>>() });
  });
}

function optionFor({ flags, description, parse }: OptionRow): Option {
  const option = new Option(flags, description);
  if (parse !== undefined) option.argParser(parse);
  return option;
}

function capitalised(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

export { CommanderError };
