// Modules of the user: scripts and plugins, in TypeScript or JavaScript, wherever they lie. They must get the very instances
// of our packages that the command uses (a GuestFault of another copy of core would not be caught), so these are handed to
// the loader ready-made; everything else is found from where the module lies, as Node does.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as core from '@retrovisor/core';
import * as coreForNode from '@retrovisor/core/node';
import * as numa from '@retrovisor/numa';
import * as svm from '@retrovisor/svm';
import * as vmx from '@retrovisor/vmx';
import { createJiti } from 'jiti';
import { InputError, reasonOf, ScriptError } from '../input-error.js';

const OURS = {
  '@retrovisor/core': core,
  '@retrovisor/core/node': coreForNode,
  '@retrovisor/numa': numa,
  '@retrovisor/svm': svm,
  '@retrovisor/vmx': vmx,
};

/** What a module exports. */
export type ModuleExports = Readonly<Record<string, unknown>>;

/** Loads a file, or a package as it is found from the current folder. @throws InputError, ScriptError */
export async function loadModule(specifier: string): Promise<ModuleExports> {
  // No cache on disk: a script is small, and a clone or a home folder should not grow by running one.
  const loader = createJiti(pathToFileURL(resolve('retrovisor')).href, {
    fsCache: false,
    interopDefault: false,
    virtualModules: OURS,
  });
  try {
    return await loader.import<ModuleExports>(specifier);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') {
      const sentence = (error as Error).message.split('\n')[0] ?? '';
      throw new InputError('MODULE_NOT_FOUND', { module: specifier }, `${specifier} cannot be loaded: ${sentence}`);
    }
    throw scriptError(specifier, error);
  }
}

/** What a module of the user threw: the sentence and the place, not the way there. Errors of retrovisor stay what they are. */
export function scriptError(path: string, error: unknown): unknown {
  if (error instanceof core.RetrovisorError) return error;
  const { name = 'Error' } = error as Error;
  const place = placeIn(path, error);
  const sentence = `${path} threw ${name}: ${reasonOf(error).trim()}${place === undefined ? '' : ` (${place})`}`;
  return new ScriptError('SCRIPT_THREW', { path, place }, sentence);
}

/** The topmost frame that lies in the user's module: `script.ts:12:5`. */
function placeIn(path: string, error: unknown): string | undefined {
  const frames = ((error as Error | undefined)?.stack ?? '').split('\n');
  const frame = frames.find((line) => line.includes(resolve(path)));
  return frame
    ?.match(/:(\d+):(\d+)\)?$/)
    ?.slice(1)
    .reduce((place, number) => `${place}:${number}`, path);
}
