// The command to type next, as it can be copied: started the way this process was started, which npm tells.

const PROGRAMS: Readonly<Record<string, string>> = {
  retrovisor: 'npm run -s retrovisor --',
  start: 'npm run -s retrovisor --',
  npx: 'npx retrovisor',
};

/** `retrovisor why "my trace.rvt"`, or the same through npm where this process was started that way. */
export function command(...args: readonly (string | number)[]): string {
  const program = PROGRAMS[process.env['npm_lifecycle_event'] ?? ''] ?? 'retrovisor';
  return [program, ...args.map((arg) => quoted(String(arg)))].join(' ');
}

/** What stood behind the verb of this very command, so that another verb can be tried with the same. */
export function sameArguments(): readonly string[] {
  const words = process.argv.slice(3);
  return words.filter((word, index) => !isOfThisVerb(word) && words[index - 1] !== SHOW);
}

/** An option with a value behind it that `run` alone has. */
const SHOW = '--show-compiled';
const isOfThisVerb = (word: string): boolean =>
  word === '--json' || word === '--debug' || word === SHOW || word.startsWith(`${SHOW}=`);

/** Quoted for a shell where it has to be. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
