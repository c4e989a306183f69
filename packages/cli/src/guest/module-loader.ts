// Modules of the user: scripts and plugins, in TypeScript or JavaScript, wherever they lie. They must get the very instances
// of our packages that the command uses (a GuestFault of another copy of core would not be caught), so these are handed to
// the loader ready-made; everything else is found from where the module lies, as Node does.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as core from '@retrovisor/core';
import * as coreForNode from '@retrovisor/core/node';
import * as numa from '@retrovisor/numa';
import * as svm from '@retrovisor/svm';
import * as vmx from '@retrovisor/vmx';
import { InputError, ScriptError } from '../input-error.js';

const OURS = {
  '@retrovisor/core': core,
  '@retrovisor/core/node': coreForNode,
  '@retrovisor/numa': numa,
  '@retrovisor/svm': svm,
  '@retrovisor/vmx': vmx,
};

/** What Node says of a file or a package that is no module; all else was thrown by one. */
const UNREADABLE = new Set(['MODULE_NOT_FOUND', 'ERR_UNKNOWN_FILE_EXTENSION', 'ERR_UNSUPPORTED_DIR_IMPORT', 'EISDIR']);

/** What a module exports. */
export type ModuleExports = Readonly<Record<string, unknown>>;

/** Loads the module in a file, or a package as it is found from the current folder. @throws InputError, ScriptError */
export async function loadModule(name: string): Promise<ModuleExports> {
  const { createJiti } = await import('jiti'); // images need no loader
  // No cache on disk: a script is small, and a clone or a home folder should not grow by running one.
  const loader = createJiti(pathToFileURL(resolve('retrovisor')).href, {
    fsCache: false,
    interopDefault: false,
    virtualModules: OURS,
  });
  try {
    return await loader.import<ModuleExports>(existsSync(name) ? resolve(name) : name);
  } catch (error) {
    const { code = '', message = '' } = error as NodeJS.ErrnoException;
    if (UNREADABLE.has(code))
      throw new InputError(
        code.replace('ERR_', ''),
        { module: name },
        `${name} cannot be loaded: ${firstLine(message)}`,
      );
    throw scriptError(name, error);
  }
}

/** What a module of the user threw: the sentence and the line, not the way there. Our own errors stay what they are. */
export function scriptError(path: string, error: unknown): unknown {
  if (error instanceof core.RetrovisorError) return error;
  const { name = 'Error', message = String(error) } = error as Error;
  // The loader reports what cannot be parsed as a message of two lines, the second with the place.
  const isUnreadable = message.startsWith('ParseError:');
  const line = isUnreadable ? /:(\d+):\d+$/.exec(message.trim())?.[1] : lineIn(path, error);
  const place = line === undefined ? path : `${path}:${line}`;
  const what = isUnreadable ? firstLine(message).replace('ParseError:', 'it cannot be parsed:') : `${name}: ${message}`;
  return new ScriptError('SCRIPT_THREW', { path, line: line === undefined ? null : Number(line) }, `${place}: ${what}`);
}

/** The line of the topmost frame that lies in the user's module. */
function lineIn(path: string, error: unknown): string | undefined {
  const frames = ((error as Error | undefined)?.stack ?? '').split('\n');
  return frames.find((frame) => frame.includes(resolve(path)))?.match(/:(\d+):\d+\)?$/)?.[1];
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').trim();
}
