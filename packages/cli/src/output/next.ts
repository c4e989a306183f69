// The command to type next, as it can be copied: in a clone the command is a script of npm's.

const IN_A_CLONE = ['retrovisor', 'start', 'tour'];

/** `retrovisor why "my trace.rvt"`, or the same through npm where this process was started that way. */
export function command(...args: readonly (string | number)[]): string {
  const script = process.env['npm_lifecycle_event'] ?? '';
  const program = IN_A_CLONE.includes(script) ? 'npm run -s retrovisor --' : 'retrovisor';
  return [program, ...args.map((arg) => quoted(String(arg)))].join(' ');
}

/** What stood behind the verb of this very command, so that another verb can be tried with the same. */
export function sameArguments(): readonly string[] {
  return process.argv.slice(3).filter((word) => word !== '--json' && word !== '--debug');
}

/** Quoted for a shell where it has to be. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
