// Errors of the command line itself. They have core's face (a code, details, a sentence), but stand here: reporting them
// must not load the machine, so that `retrovisor --help` and a misspelt file name answer at once.

/** The face of core's errors. */
abstract class CommandError extends Error {
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, details: Readonly<Record<string, unknown>>, message: string) {
    super(message);
    this.name = new.target.name;
    this.code = code;
    this.details = details;
  }
}

/** A file that cannot be read, or is not what it should be. */
export class InputError extends CommandError {}

/** A script that threw. */
export class ScriptError extends CommandError {}

/** Options or arguments that do not fit together: what commander cannot see. */
export class UsageError extends CommandError {}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'access is denied',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is no folder',
};

/** What a system error means, in words. */
export function reasonOf(error: unknown): string {
  const { code = '', message = String(error) } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? message;
}
