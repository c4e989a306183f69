// Which plugins a machine gets: the extension of the profile's vendor and the devices of a PC always, others as the user
// asks. A trace never has code loaded because it names it: its plugins are looked for among ours and those given.
import {
  acpiPower,
  baseName,
  debugConsole,
  type FwCfgOptions,
  findProfile,
  fwCfg,
  hpet,
  ioApic,
  type MachineOptions,
  type Plugin,
  pci,
  pcTestdev,
  pic,
  pit,
  ps2,
  rtc,
  shutdownPort,
  staleTlb,
  systemControlPort,
  uart,
} from '@retrovisor/core';
import { findMachine, fitMachine, MACHINES, numa, parseMachineDescription } from '@retrovisor/numa';
import { svm } from '@retrovisor/svm';
import { vmx } from '@retrovisor/vmx';
import { InputError, UsageError } from '../input-error.js';
import { fwCfgFiles } from './fw-cfg-files.js';
import { readInput } from './input-file.js';
import { loadModule, type ModuleExports } from './module-loader.js';

const DEVICES = [
  debugConsole,
  uart,
  pic,
  pit,
  ioApic,
  hpet,
  rtc,
  pci,
  ps2,
  systemControlPort,
  acpiPower,
  shutdownPort,
  pcTestdev,
];

/** Those that need nothing but their name. */
const BUILT_IN: readonly Plugin[] = [vmx, svm, ...DEVICES];
/** Those that only an option asks for. */
const OPTIONAL: readonly Plugin[] = [staleTlb];

/** What `--plugin` and `--numa` ask for. */
export interface PluginOptions {
  readonly plugin: readonly string[];
  readonly numa?: string | undefined;
  readonly tlb?: 'coherent' | 'stale' | undefined;
  /** Of the kernel, for fw_cfg. */
  readonly commandLine?: string;
  /** Files of fw_cfg, as `fwCfgFiles` reads them. */
  readonly fwCfg?: readonly string[];
}

/** The size that a description is fitted to. */
export interface Size {
  readonly processors: number;
  readonly memoryBytes: number;
}

/** The plugins of a new machine: the vendor's, the devices, and those asked for. */
export async function pluginsFor(
  profile: MachineOptions['profile'],
  options: PluginOptions,
  size: Size,
): Promise<readonly Plugin[]> {
  const { vendor } = typeof profile === 'string' ? findProfile(baseName(profile)) : profile;
  const { commandLine = '' } = options;
  const files = fwCfgFiles(options.fwCfg);
  const platform = [...BUILT_IN, fwCfg({ ...(commandLine === '' ? {} : { commandLine }), ...files })];
  return withPlugins(
    platform.filter((plugin) => plugin.vendor === undefined || plugin.vendor === vendor),
    options,
    size,
  );
}

/** A list of plugins with those that options add; one that is asked for twice is there once. */
export async function withPlugins(
  plugins: readonly Plugin[],
  { plugin: names, numa: machine, tlb }: PluginOptions,
  size: Size,
): Promise<readonly Plugin[]> {
  const asked = [
    ...(await namedPlugins(names)),
    ...(machine === undefined ? [] : [numaFor(machine, size)]),
    ...(tlb === 'stale' ? [staleTlb] : []),
  ];
  return [...plugins.filter((one) => !asked.some(({ name }) => name === one.name)), ...asked];
}

/** The plugins that `--plugin` names. */
export async function namedPlugins(names: readonly string[]): Promise<readonly Plugin[]> {
  return Promise.all([...new Set(names)].map(namedPlugin));
}

async function namedPlugin(name: string): Promise<Plugin> {
  const ours = BUILT_IN.find((plugin) => plugin.name === name);
  if (ours !== undefined) return ours;
  if (name === 'numa') {
    throw new UsageError(
      'NUMA_NEEDS_MACHINE',
      { option: 'plugin', value: name },
      `the plugin numa needs a machine: --numa ${machineNames()}, or --numa FILE`,
    );
  }
  const found = pluginsIn(await loadModule(name));
  const [plugin] = found;
  if (plugin !== undefined && found.length === 1) return plugin;
  throw new InputError(
    'NO_PLUGIN',
    { module: name, found: found.length },
    `${name} exports ${found.length} plugins: one is expected, made with definePlugin and exported under any name`,
  );
}

/** The values of a module that have what every plugin has; one that is exported twice counts once. */
function pluginsIn(exports: ModuleExports): readonly Plugin[] {
  const isPlugin = (value: unknown): value is Plugin =>
    typeof value === 'object' && value !== null && ['name', 'version', 'apiVersion'].every((member) => member in value);
  return [...new Set(Object.values(exports).filter(isPlugin))];
}

/** A machine by name is fitted to the size at hand; a file is taken as it stands. */
function numaFor(machine: string, size: Size): Plugin {
  if (MACHINES.some(({ name }) => name === machine)) return numa(fitMachine(findMachine(machine), size));
  if (!/[./\\]/.test(machine))
    throw new UsageError(
      'UNKNOWN_MACHINE',
      { machine },
      `no machine is named ${machine}: ${machineNames()} or the path of a description are accepted`,
    );
  return numa(parseMachineDescription(parseJson(machine)));
}

function machineNames(): string {
  return MACHINES.map(({ name }) => name).join(' | ');
}

function parseJson(path: string): unknown {
  const text = new TextDecoder().decode(readInput(path));
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError('NOT_JSON', { path }, `${path} is no JSON: ${(error as Error).message}`);
  }
}

/** A plugin of ours as a trace names it; undefined for anybody else's. */
export function recordedPlugin({
  name,
  configuration,
}: {
  readonly name: string;
  readonly configuration?: unknown;
}): Plugin | undefined {
  switch (name) {
    case 'numa':
      return numa(parseMachineDescription(configuration));
    case 'fw-cfg':
      return fwCfg(parseFwCfgOptions(configuration));
    default:
      return [...BUILT_IN, ...OPTIONAL].find((plugin) => plugin.name === name);
  }
}

/** The configuration of fw_cfg in a trace, which may hold anything. */
function parseFwCfgOptions(configuration: unknown): FwCfgOptions {
  const { commandLine, files } = (configuration ?? {}) as { readonly commandLine?: unknown; readonly files?: object };
  const isText = commandLine === undefined || typeof commandLine === 'string';
  if (isText && Object.values(files ?? {}).every((file) => file instanceof Uint8Array))
    return configuration as FwCfgOptions;
  throw new InputError(
    'FW_CFG_CONFIGURATION',
    { configuration },
    'the trace configures fw-cfg with something else than commandLine (text) and files (bytes by name)',
  );
}
