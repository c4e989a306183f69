// Error classes: the caller failing, damaged input, a gap, the impossible. The architecture failing is an Outcome, never
// one of these (DESIGN.md, "The law"). Every error carries a stable code and the facts as data, for --json and tests.

/** Facts of an error by name: the value found, where it came from, what would have been accepted. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/** The root of everything that retrovisor throws on purpose. */
export abstract class RetrovisorError extends Error {
  /** Stable, UPPER_SNAKE: what programs test for. */
  readonly code: string;
  readonly details: ErrorDetails;

  constructor(code: string, details: ErrorDetails, message: string) {
    super(message);
    this.name = new.target.name;
    this.code = code;
    this.details = details;
  }
}

/** The caller asked for something that cannot be: a position past the end, a register that does not exist. */
export class UsageError extends RetrovisorError {}

/** Plugins that cannot live in one machine, or a machine that lacks one. */
export class PluginError extends RetrovisorError {}

/** A guest image or boot description that cannot be loaded. */
export class ImageError extends RetrovisorError {}

/** A trace that is damaged, truncated, of another version, or no trace at all. */
export class TraceFormatError extends RetrovisorError {}

/** Instruction vectors that cannot be read. */
export class VectorFormatError extends RetrovisorError {}

/** A replay whose state differs from the recorded digest. */
export class DivergenceError extends RetrovisorError {}

/** The guest did something architecturally legal that is not modelled: listed in docs/conformance.md. */
export class NotModelled extends RetrovisorError {
  constructor(what: string, details: ErrorDetails = {}) {
    super('NOT_MODELLED', { what, ...details }, `${what} is not modelled (docs/conformance.md lists what is)`);
  }
}

/** A broken invariant of retrovisor itself: always a bug to report. */
export class InternalError extends RetrovisorError {
  constructor(message: string, details: ErrorDetails = {}) {
    super('INTERNAL', details, `${message} (a bug in retrovisor)`);
  }
}

/** Documents an invariant and stays on. */
export function assert(condition: boolean, message: string, details: ErrorDetails = {}): asserts condition {
  if (!condition) throw new InternalError(message, details);
}

/** The end of a switch over a union. */
export function assertNever(value: never): never {
  throw new InternalError('a case was forgotten', { value });
}
