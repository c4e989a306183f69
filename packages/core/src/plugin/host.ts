// From options to a machine definition: the constant of a universe. Plugins are checked against each other here, once,
// and everything that the hot path asks is put into tables.
import type { BootImage } from '../boot/boot-image.js';
import { PluginError, UsageError } from '../error.js';
import type { EventDefinition } from '../event/define.js';
import type { CheckedInstruction } from '../execute/execute-checked.js';
import type { FunctionInstruction, InstructionDefinition, IntrinsicShape } from '../instruction/define.js';
import { BASE_INSTRUCTIONS } from '../instruction/instructions.js';
import type { TranslationBuffer } from '../memory/translation-buffer.js';
import { baseName, withoutFeatures } from '../profile/feature-switch.js';
import type { ProcessorProfile } from '../profile/profile.js';
import { findProfile } from '../profile/profiles.js';
import { BASE_MSRS } from '../register/msr-table.js';
import type { MsrDefinition } from '../register/msrs.js';
import { BASE_REGISTERS, RegisterFile, type RegisterRow } from '../register/register-file.js';
import type { Hazard } from '../rule/hazard.js';
import { type PhysicalRange, ramRanges } from '../state/memory.js';
import { FRAME_BYTES } from '../state/workbench.js';
import {
  type DeviceMemory,
  PLUGIN_API_VERSION,
  type Plugin,
  type PluginBoundaryEvent,
  type PortRange,
} from './define.js';
import type { GuestMode } from './guest-mode.js';
import type { InterceptName, Intercepts } from './intercepts.js';

/** What createMachine takes. */
export interface MachineOptions<Plugins extends readonly Plugin[] = readonly Plugin[]> {
  /** A profile, or its name or alias: `intel-server`; features that it is to be without may follow: `intel-server,-x2APIC`. */
  readonly profile: string | ProcessorProfile;
  /** Logical processors, 1 to 256. Default 1. */
  readonly processors?: number;
  /** Bytes of RAM, a multiple of 4096. Default 64 MiB. */
  readonly memory?: number;
  readonly plugins?: Plugins;
  /** How the machine stands at position 0. Default: after RESET. */
  readonly boot?: BootImage;
  /** Steps of a processor before the next one has its turn. Default 3,000. */
  readonly quantum?: number;
  /**
   * Turns of drawn processors and lengths, from 1 step to `quantum`; the seed is 0 to 2^32 - 1. The same seed gives the
   * same schedule. Default: each processor in its order for `quantum` steps.
   */
  readonly schedule?: RandomSchedule | undefined;
  /**
   * How often a block is executed before it is compiled to WebAssembly; false: never. Results are the same. Default 200
   * where the host allows code to be generated.
   */
  readonly compile?: number | false;
}

/** How turns are drawn. */
export interface RandomSchedule {
  readonly random: number;
}

/** An MSR with its place. */
export interface InstalledMsr extends MsrDefinition {
  readonly name: string;
  readonly slot: number;
}

/** An intrinsic: the instruction behind it and how its operands are given. */
export interface InstalledIntrinsic {
  readonly name: string;
  readonly instruction: FunctionInstruction;
  readonly shape: IntrinsicShape;
  readonly checked: CheckedInstruction;
}

type InstructionIntercept = NonNullable<Intercepts['instruction']>;
type InterceptLists = { readonly [Name in InterceptName]: readonly NonNullable<Intercepts[Name]>[] };

/** A machine's constants. Two definitions made from equal options behave alike, forever. */
export interface MachineDefinition {
  readonly profile: ProcessorProfile;
  readonly processors: number;
  readonly memoryBytes: number;
  readonly ranges: readonly PhysicalRange[];
  readonly quantum: number;
  /** Undefined: round robin. */
  readonly schedule: RandomSchedule | undefined;
  /** Undefined: nothing is compiled. */
  readonly compileThreshold: number | undefined;
  readonly plugins: readonly Plugin[];
  readonly boot: BootImage | undefined;
  readonly registers: RegisterFile;
  readonly msrs: ReadonlyMap<number, InstalledMsr>;
  readonly instructions: ReadonlyMap<string, InstructionDefinition>;
  readonly intrinsics: ReadonlyMap<string, InstalledIntrinsic>;
  readonly intercepts: InterceptLists;
  /** The intercepts that want to see an instruction before it begins. */
  readonly interceptsBefore: (mnemonic: string) => readonly InstructionIntercept[];
  /** The same of those that are asked after the checks that have priority. */
  readonly interceptsOfInstruction: (mnemonic: string) => readonly InstructionIntercept[];
  /** Undefined: no processor has one. */
  readonly guestMode: GuestMode | undefined;
  /** What plugins add to the events of core. */
  readonly boundaryEvents: readonly PluginBoundaryEvent[];
  readonly ports: readonly PortRange[];
  readonly deviceMemory: readonly DeviceMemory[];
  /** Undefined: translations are always those of the tables in memory. */
  readonly translations: TranslationBuffer | undefined;
  readonly events: ReadonlyMap<string, EventDefinition>;
  readonly hazards: ReadonlyMap<string, Hazard>;
}

const MOST_PROCESSORS = 256;
const MOST_MEMORY = 2 ** 42;
const DEFAULT_MEMORY = 64 * 2 ** 20;
const DEFAULT_QUANTUM = 3000;
const DEFAULT_COMPILE_THRESHOLD = 200;

function compileThresholdOf(compile: number | false = DEFAULT_COMPILE_THRESHOLD): number | undefined {
  if (compile === false || !isCodeGenerationAllowed()) return undefined;
  return inRange('compile', compile, 0, Number.MAX_SAFE_INTEGER, 1);
}

/** A policy may forbid it, in browsers and elsewhere. */
function isCodeGenerationAllowed(): boolean {
  try {
    return new WebAssembly.Module(EMPTY_MODULE) instanceof WebAssembly.Module;
  } catch {
    return false;
  }
}

const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/**
 * Checks options and plugins and builds the definition.
 * @throws UsageError for a value out of range, PluginError for plugins that cannot live together
 */
export function defineMachine(options: MachineOptions): MachineDefinition {
  const processors = inRange('processors', options.processors ?? 1, 1, MOST_PROCESSORS, 1);
  const memoryBytes = inRange('memory', options.memory ?? DEFAULT_MEMORY, FRAME_BYTES, MOST_MEMORY, FRAME_BYTES);
  const quantum = inRange('quantum', options.quantum ?? DEFAULT_QUANTUM, 1, Number.MAX_SAFE_INTEGER, 1);
  const plugins = options.plugins ?? [];
  const profile = typeof options.profile === 'string' ? profileNamed(options.profile, plugins) : options.profile;
  checkPlugins(plugins, profile);
  const msrs = msrsOf(plugins, profile);
  const registers = new RegisterFile([
    ...msrs
      .filter(([, { aliasOf }]) => aliasOf === undefined)
      .map(([name, { reset, address }]) => msrRow(name, reset ?? profile.msrs[address] ?? 0n))
      .filter(isNew),
    ...plugins.flatMap(({ name, registers: rows = {} }) =>
      Object.entries(rows).map(([register, { width, reset = 0n }]) => ({
        name: `${name}.${register}`,
        group: 'internal' as const,
        width,
        reset,
      })),
    ),
  ]);
  const instructions = instructionsOf(plugins);
  return Object.freeze({
    profile,
    processors,
    memoryBytes,
    quantum,
    schedule: scheduleOf(options),
    compileThreshold: compileThresholdOf(options.compile),
    plugins,
    registers,
    instructions,
    ranges: ramRanges(memoryBytes),
    boot: options.boot,
    msrs: new Map(
      msrs.map(([name, msr]) => [msr.address, { ...msr, name, slot: registers.slot(msr.aliasOf ?? name) }]),
    ),
    intrinsics: intrinsicsOf(instructions, interceptsOn('instruction', plugins)),
    intercepts: interceptsOf(plugins),
    interceptsBefore: interceptsOn('beforeInstruction', plugins),
    interceptsOfInstruction: interceptsOn('instruction', plugins),
    boundaryEvents: plugins.flatMap(({ boundaryEvents = [] }) => boundaryEvents),
    guestMode: uniqueBy('guest mode', plugins, ({ guestMode }) => (guestMode ? [['guest', guestMode]] : []), []).get(
      'guest',
    ),
    ports: rangesOf('port', plugins, ({ ports = [] }) => ports),
    deviceMemory: rangesOf('device memory', plugins, ({ deviceMemory = [] }) => deviceMemory),
    translations: uniqueBy(
      'model of the',
      plugins,
      ({ translations }) => (translations === undefined ? [] : [['TLB', translations]]),
      [],
    ).get('TLB'),
    events: uniqueBy('event', plugins, ({ events = [] }) => events.map((event) => [event.type, event]), []),
    hazards: uniqueBy('hazard', plugins, ({ hazards = [] }) => hazards.map((hazard) => [hazard.id, hazard]), []),
  });
}

function scheduleOf({ schedule }: MachineOptions): RandomSchedule | undefined {
  if (schedule === undefined) return undefined;
  return Object.freeze({ random: inRange('the seed of the schedule', schedule.random, 0, 2 ** 32 - 1, 1) });
}

function inRange(name: string, value: number, least: number, most: number, unit: number): number {
  if (Number.isInteger(value) && value >= least && value <= most && value % unit === 0) return value;
  const multiple = unit === 1 ? 'a whole number' : `a multiple of ${unit}`;
  throw new UsageError(
    'BAD_OPTION',
    { option: name, value, least, most, unit },
    `${name} is ${value}: ${multiple} from ${least} to ${most} is accepted`,
  );
}

/** The profile of a text: a name, and features that are switched off. */
function profileNamed(text: string, plugins: readonly Plugin[]): ProcessorProfile {
  return withoutFeatures(findProfile(baseName(text)), text, plugins);
}

function checkPlugins(plugins: readonly Plugin[], profile: ProcessorProfile): void {
  const names = new Set<string>();
  for (const { name, version, apiVersion, requires = [], vendor } of plugins) {
    const refuse = (code: string, why: string, details = {}): never => {
      throw new PluginError(code, { plugin: name, version, ...details }, `plugin ${name} ${version} ${why}`);
    };
    if (names.has(name)) refuse('PLUGIN_TWICE', 'is there twice');
    names.add(name);
    if (apiVersion !== PLUGIN_API_VERSION)
      refuse('PLUGIN_API_VERSION', `was made for plugin API ${apiVersion}; this core has ${PLUGIN_API_VERSION}`, {
        apiVersion,
      });
    const missing = requires.find((required) => !plugins.some((plugin) => plugin.name === required));
    if (missing !== undefined) refuse('PLUGIN_MISSING', `needs plugin ${missing}, which is not there`, { missing });
    if (vendor !== undefined && vendor !== profile.vendor) {
      refuse(
        'PLUGIN_VENDOR',
        `extends ${vendor} processors; the profile ${profile.name} is a processor of ${profile.vendor}`,
        { vendor, profile: profile.name },
      );
    }
  }
}

/** One map of what several plugins add; a second owner is an error that names both. */
function uniqueBy<Value>(
  what: string,
  plugins: readonly Plugin[],
  entriesOf: (plugin: Plugin) => readonly (readonly [key: string, value: Value])[],
  base: readonly (readonly [key: string, value: Value])[],
): ReadonlyMap<string, Value> {
  const owners = new Map(base.map(([key]) => [key, 'core']));
  const result = new Map(base);
  for (const plugin of plugins) {
    for (const [key, value] of entriesOf(plugin)) {
      const owner = owners.get(key);
      if (owner !== undefined) {
        throw new PluginError(
          'PLUGIN_CONFLICT',
          { what, key, owners: [owner, plugin.name] },
          `${what} ${key} has two owners: ${owner} and ${plugin.name}`,
        );
      }
      owners.set(key, plugin.name);
      result.set(key, value);
    }
  }
  return result;
}

function msrsOf(plugins: readonly Plugin[], profile: ProcessorProfile): readonly [string, MsrDefinition][] {
  const exists = ([, { existsWhen }]: readonly [string, MsrDefinition]) => existsWhen?.(profile) ?? true;
  const byName = uniqueBy(
    'MSR',
    plugins,
    ({ msrs = {} }) => Object.entries(msrs).filter(exists),
    Object.entries(BASE_MSRS).filter(exists),
  );
  uniqueBy(
    'MSR',
    plugins,
    ({ msrs = {} }) =>
      Object.entries(msrs)
        .filter(exists)
        .map(([, { address }]) => [hex(address), address]),
    Object.values(BASE_MSRS).map(({ address }) => [hex(address), address]),
  );
  return [...byName];
}

const hex = (address: number): string => `0x${address.toString(16)}`;
const msrRow = (name: string, reset: bigint): RegisterRow => ({ name, group: 'msrs', width: 64, reset });
/** An MSR that is another name of a base register needs no slot of its own. */
const isNew = ({ name }: RegisterRow): boolean => !BASE_REGISTERS.some((row) => row.name === name);

function instructionsOf(plugins: readonly Plugin[]): ReadonlyMap<string, InstructionDefinition> {
  const named = (list: readonly InstructionDefinition[]) =>
    list.map((instruction) => [instruction.mnemonic, instruction] as const);
  return uniqueBy('instruction', plugins, ({ instructions = [] }) => named(instructions), named(BASE_INSTRUCTIONS));
}

function intrinsicsOf(
  instructions: ReadonlyMap<string, InstructionDefinition>,
  interceptsOfInstruction: MachineDefinition['interceptsOfInstruction'],
): ReadonlyMap<string, InstalledIntrinsic> {
  const functions = [...instructions.values()].filter((instruction) => instruction.form === 'function');
  return new Map(
    functions.flatMap((instruction) => {
      const { mnemonic, checks, interceptedAfter, effect } = instruction;
      const checked = { mnemonic, checks, interceptedAfter, effect, intercepts: interceptsOfInstruction(mnemonic) };
      return Object.entries(instruction.intrinsics).map(
        ([name, shape]) => [name, { name, instruction, shape, checked }] as const,
      );
    }),
  );
}

function interceptsOf(plugins: readonly Plugin[]): InterceptLists {
  const list = <Name extends InterceptName>(name: Name) =>
    plugins.flatMap(({ intercepts }) => (intercepts?.[name] as NonNullable<Intercepts[Name]> | undefined) ?? []);
  return {
    beforeInstruction: list('beforeInstruction'),
    exception: list('exception'),
    instruction: list('instruction'),
    event: list('event'),
    holdsEvent: list('holdsEvent'),
    shutdown: list('shutdown'),
    taskSwitch: list('taskSwitch'),
    timeStamp: list('timeStamp'),
    stepped: list('stepped'),
    portAccess: list('portAccess'),
    controlRegister: list('controlRegister'),
    msr: list('msr'),
    randomNumber: list('randomNumber'),
    memoryAccess: list('memoryAccess'),
    memoryAccesses: list('memoryAccesses'),
    watchedStore: list('watchedStore'),
  };
}

function interceptsOn(
  point: 'beforeInstruction' | 'instruction',
  plugins: readonly Plugin[],
): MachineDefinition['interceptsBefore'] {
  const rows = plugins.flatMap(({ intercepts, interceptedInstructions }) => {
    const take = intercepts?.[point];
    return take === undefined ? [] : [{ take, mnemonics: interceptedInstructions }];
  });
  return (mnemonic) =>
    rows.filter(({ mnemonics }) => mnemonics === undefined || mnemonics.includes(mnemonic)).map(({ take }) => take);
}

/** Ranges of ports or addresses; a second owner of one is an error that names both. */
function rangesOf<Range extends { readonly first: number; readonly last: number }>(
  what: string,
  plugins: readonly Plugin[],
  of: (plugin: Plugin) => readonly Range[],
): readonly Range[] {
  const owned = plugins.flatMap((plugin) => of(plugin).map((range) => ({ name: plugin.name, range })));
  for (const [index, { name, range }] of owned.entries()) {
    const other = owned
      .slice(0, index)
      .find((earlier) => earlier.range.first <= range.last && range.first <= earlier.range.last);
    if (other !== undefined) {
      throw new PluginError(
        'PLUGIN_CONFLICT',
        { what, key: hex(range.first), owners: [other.name, name] },
        `${what} ${hex(range.first)} has two owners: ${other.name} and ${name}`,
      );
    }
  }
  return owned.map(({ range }) => range);
}
