// Scripts: a module whose default export is a function of the machine, and which may export `machine`, the options that the
// machine is made with.
import type { Machine, MachineOptions } from '@retrovisor/core';
import { InputError } from '../input-error.js';
import { readInput } from './input-file.js';
import { loadModule, scriptError } from './module-loader.js';

const EXTENSIONS = /\.[cm]?[jt]s$/;

/** A script, loaded. */
export interface Script {
  readonly path: string;
  readonly options: Partial<MachineOptions>;
  /** Calls the script; what it hands back may be an outcome. @throws ScriptError */
  readonly drive: (machine: Machine) => Promise<unknown>;
}

/** Whether a file is a script, by its name. */
export function isScript(path: string): boolean {
  return EXTENSIONS.test(path);
}

/** Loads a script. @throws InputError for a file that is none, ScriptError for one that throws */
export async function loadScript(path: string): Promise<Script> {
  readInput(path);
  const exports = await loadModule(path);
  const { default: main, machine: options = {} } = exports;
  if (typeof main !== 'function') {
    throw new InputError(
      'NO_SCRIPT',
      { path, exports: Object.keys(exports) },
      `${path} has no default export that is a function: export default (machine) => …`,
    );
  }
  if (typeof options !== 'object' || options === null) {
    throw new InputError(
      'NO_SCRIPT',
      { path },
      `${path} exports machine as ${typeof options}: the options of createMachine are expected`,
    );
  }
  return { path, options, drive: (machine) => call(path, main as (machine: Machine) => unknown, machine) };
}

async function call(path: string, main: (machine: Machine) => unknown, machine: Machine): Promise<unknown> {
  try {
    return await main(machine);
  } catch (error) {
    throw scriptError(path, error);
  }
}
