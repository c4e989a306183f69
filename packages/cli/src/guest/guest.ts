// From what the user names to a machine that is ready to go: an image with the mode it is entered in, or a script with the
// options it exports. What is said on the command line goes before what a script says.
import { createMachine, longMode, type Machine, type MachineOptions } from '@retrovisor/core';
import { UsageError } from '../input-error.js';
import { type ImageOptions, readImage } from './image.js';
import type { Limits } from './limits.js';
import { type PluginOptions, pluginsFor, withPlugins } from './plugins.js';
import { isScript, loadScript, type Script } from './script.js';

/** Options that make a machine. */
export interface GuestOptions extends PluginOptions, ImageOptions, Limits {
  readonly cpu?: string | undefined;
  readonly smp?: number | undefined;
  /** Bytes. */
  readonly memory?: number | undefined;
  /** Steps. */
  readonly quantum?: number | undefined;
  readonly schedule?: MachineOptions['schedule'];
  /** False: nothing is compiled. */
  readonly compile?: boolean | undefined;
}

/** A machine and what drives it: a script, or its own code. */
export interface Guest {
  readonly path: string;
  readonly machine: Machine;
  readonly script: Script | undefined;
}

const DEFAULT_PROFILE = 'intel-server';
/** As QEMU. */
const DEFAULT_MEMORY = 128 * 2 ** 20;

/** Makes the machine of an image or script. @throws InputError, ImageError, UsageError, PluginError */
export async function openGuest(path: string, options: GuestOptions): Promise<Guest> {
  if (isScript(path)) {
    refuseImageOptions(path, options);
    const script = await loadScript(path);
    const { options: said } = script;
    // A script calls intrinsics: unless it says how its machine starts, that is where they all exist.
    const boot = 'boot' in said ? said.boot : longMode();
    return { path, script, machine: await makeMachine(options, { ...said, ...(boot === undefined ? {} : { boot }) }) };
  }
  const memory = options.memory ?? DEFAULT_MEMORY;
  const boot = readImage(path, options, memory);
  return { path, script: undefined, machine: await makeMachine(options, { boot, memory }, options.append) };
}

async function makeMachine(options: GuestOptions, said: Partial<MachineOptions>, commandLine = ''): Promise<Machine> {
  const profile = options.cpu ?? said.profile ?? DEFAULT_PROFILE;
  const processors = options.smp ?? said.processors ?? 1;
  const memory = options.memory ?? said.memory ?? DEFAULT_MEMORY;
  const quantum = options.quantum ?? said.quantum;
  const schedule = options.schedule ?? said.schedule;
  const size = { processors, memoryBytes: memory };
  const plugins = await (said.plugins === undefined
    ? pluginsFor(profile, { ...options, commandLine }, size)
    : withPlugins(said.plugins, options, size));
  return createMachine({
    ...said,
    profile,
    processors,
    memory,
    plugins,
    schedule,
    ...(quantum === undefined ? {} : { quantum }),
    ...(options.compile === false ? { compile: false } : {}),
  });
}

/** A script decides itself how far it runs and what it loads. */
function refuseImageOptions(path: string, options: GuestOptions): void {
  if ((options.fwCfg ?? []).length > 0) refuseOption(path, '--fw-cfg');
  for (const name of ['mode', 'load', 'entry', 'append', 'initrd', 'maxInstructions', 'timeout'] as const) {
    if (options[name] === undefined) continue;
    refuseOption(path, `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
  }
}

function refuseOption(path: string, option: string): never {
  throw new UsageError(
    'OPTION_FOR_IMAGES',
    { option, path },
    `${option} is for images; ${path} is a script, which says itself what it loads and how far it runs`,
  );
}
