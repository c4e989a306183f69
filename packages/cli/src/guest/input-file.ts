// Reading what the user names: a sentence that says which file and why not, never a stack trace.
import { readFileSync } from 'node:fs';
import { InputError, reasonOf } from '../input-error.js';

/** The bytes of a file. @throws InputError FILE_NOT_READABLE */
export function readInput(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new InputError(
      'FILE_NOT_READABLE',
      { path, reason: (error as NodeJS.ErrnoException).code },
      `${path} cannot be read: ${reasonOf(error)}`,
    );
  }
}
