// What the command tells the shell. Scripts and CI jobs rely on these four numbers. Only `--exit-code qemu` returns others:
// those of a guest that reported a value (guest/session.ts).

/** The exit statuses. */
export const EXIT = {
  /** Done. */
  done: 0,
  /** The guest, a check or a verification failed; or retrovisor itself did. */
  failed: 1,
  /** Wrong usage: an option, an argument, a combination that cannot be. */
  usage: 2,
  /** An input that cannot be read: missing, damaged, of another format. */
  unreadable: 3,
} as const;

export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

/** By the name of the error class: core is not imported for this, because `--help` must not load it. */
const STATUS_OF_CLASS: Readonly<Record<string, ExitStatus>> = {
  UsageError: EXIT.usage,
  PluginError: EXIT.usage,
  ScriptError: EXIT.failed,
  ImageError: EXIT.unreadable,
  InputError: EXIT.unreadable,
  TraceFormatError: EXIT.unreadable,
  VectorFormatError: EXIT.unreadable,
  DivergenceError: EXIT.failed,
  NotModelled: EXIT.failed,
};

/** An error that retrovisor throws on purpose: a class of core's or one of the cli's with the same face. */
export interface KnownError extends Error {
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Whether an error explains itself: its message is for the user, and no stack trace is needed. */
export function isKnownError(error: unknown): error is KnownError {
  return error instanceof Error && classOf(error) !== undefined && 'code' in error && 'details' in error;
}

/** The exit status for anything thrown. */
export function statusOf(error: unknown): ExitStatus {
  const known = error instanceof Error ? classOf(error) : undefined;
  return (known === undefined ? undefined : STATUS_OF_CLASS[known]) ?? EXIT.failed;
}

/** The first class of the chain that has a status: packages derive their own from core's. */
function classOf(error: Error): string | undefined {
  for (let at: unknown = error.constructor; typeof at === 'function'; at = Object.getPrototypeOf(at)) {
    if (Object.hasOwn(STATUS_OF_CLASS, at.name)) return at.name;
  }
  return undefined;
}
