// Errors as people and programs read them.
import type { Colours } from './colour.js';

interface Face {
  readonly message: string;
  readonly code?: unknown;
  readonly details?: unknown;
  readonly stack?: string;
}

/** The error for JSON: `code` is stable, `details` are its facts. */
export function failureDocument(error: unknown, isKnown: boolean): unknown {
  const { message, code, details } = faceOf(error);
  return { error: { code: isKnown ? code : 'UNEXPECTED', message, details: details ?? {} } };
}

/** The error for a person. */
export function failureText(error: unknown, isKnown: boolean, withStack: boolean, colours: Colours): string {
  const { message, code, stack = '' } = faceOf(error);
  const stackText = withStack ? `\n${colours.dim(stack)}` : '';
  if (isKnown) return `${colours.red('retrovisor:')} ${message} ${colours.dim(`[${String(code)}]`)}${stackText}`;
  const advice = withStack
    ? ''
    : '\nThis is a bug in retrovisor. Please report it with what the same command prints with --debug.';
  return `${colours.red('retrovisor: unexpected error:')} ${message}${advice}${stackText}`;
}

function faceOf(error: unknown): Face {
  return error instanceof Error ? error : { message: String(error) };
}
