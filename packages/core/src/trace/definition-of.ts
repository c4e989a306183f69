// From a header back to the machine. Code never comes out of a file: profiles and plugins are those that the user gives, and
// each must be the one that the trace names.
import { PluginError, TraceFormatError, UsageError } from '../error.js';
import type { Plugin } from '../plugin/define.js';
import { defineMachine, type MachineDefinition } from '../plugin/host.js';
import { baseName, withoutFeatures } from '../profile/feature-switch.js';
import type { ProcessorProfile } from '../profile/profile.js';
import { PROFILES } from '../profile/profiles.js';
import { encodeCanonical } from './canonical.js';
import { sameDigest } from './digest.js';
import { profileDigest, type RecordedPlugin, type TraceHeader } from './header.js';

/** Makes a plugin for the configuration that a trace recorded. */
export type PluginFactory = (configuration: unknown) => Plugin;

/** What the user has to make a recorded machine of. More of it than the trace names does no harm. */
export interface MachineParts {
  /** Plugins, or by name plugins and factories of those that take a configuration. */
  readonly plugins?: readonly Plugin[] | Readonly<Record<string, Plugin | PluginFactory>>;
  /** Profiles beside those that come with retrovisor. */
  readonly profiles?: readonly ProcessorProfile[];
  /** Accept plugins of other versions than the recorded ones: the digests then tell whether they behave alike. */
  readonly anyPluginVersion?: boolean;
  /** As in MachineOptions: it changes no result, so that a trace does not say it. */
  readonly compile?: number | false;
}

/**
 * The machine that a trace was recorded on.
 * @throws PluginError for a plugin that is missing, of another version or configured otherwise, TraceFormatError for a
 * profile that is unknown or has other data
 */
export function definitionOf(header: TraceHeader, parts: MachineParts = {}): MachineDefinition {
  const { processors, memory, quantum, schedule, boot } = header;
  const plugins = header.plugins.map((recorded) => pluginFor(recorded, parts));
  const profile = profileFor(header, parts, plugins);
  const { compile } = parts;
  return defineMachine({
    profile,
    processors,
    memory,
    quantum,
    schedule,
    plugins,
    ...(boot === undefined ? {} : { boot }),
    ...(compile === undefined ? {} : { compile }),
  });
}

function profileFor(
  { profile: { name, digest } }: TraceHeader,
  { profiles = [] }: MachineParts,
  plugins: readonly Plugin[],
): ProcessorProfile {
  const all = [...profiles, ...PROFILES];
  const profile = profileAmong(all, name, plugins);
  if (profile === undefined) {
    const accepted = all.map((each) => each.name);
    throw new TraceFormatError(
      'TRACE_PROFILE_UNKNOWN',
      { profile: name, accepted },
      `the trace was recorded on the profile ${name}; there are ${accepted.join(', ')}`,
    );
  }
  const found = profileDigest(profile);
  if (found === digest) return profile;
  throw new TraceFormatError(
    'TRACE_PROFILE_DIFFERS',
    { profile: name, found, expected: digest },
    `the profile ${name} has other data now than when the trace was recorded: give the profile of that time`,
  );
}

/** By name, or by the name of a profile and features that it is without. */
function profileAmong(
  all: readonly ProcessorProfile[],
  name: string,
  plugins: readonly Plugin[],
): ProcessorProfile | undefined {
  const base = all.find((each) => each.name === name) ?? all.find((each) => each.name === baseName(name));
  if (base === undefined || base.name === name) return base;
  try {
    return withoutFeatures(base, name, plugins);
  } catch (thrown) {
    if (thrown instanceof UsageError) return undefined; // no such feature
    throw thrown;
  }
}

function pluginFor(recorded: RecordedPlugin, { plugins = [], anyPluginVersion = false }: MachineParts): Plugin {
  const { name, version, configuration } = recorded;
  const given = findPlugin(plugins, name);
  if (given === undefined) {
    throw new PluginError(
      'PLUGIN_MISSING',
      { plugin: name, version },
      `the trace was recorded with plugin ${name} ${version}, which is not there`,
    );
  }
  const plugin = typeof given === 'function' ? given(configuration) : given;
  if (plugin.name !== name || (plugin.version !== version && !anyPluginVersion)) {
    const found = { name: plugin.name, version: plugin.version };
    throw new PluginError(
      'PLUGIN_VERSION',
      { plugin: name, found, expected: { name, version } },
      `the trace was recorded with plugin ${name} ${version}; there is ${found.name} ${found.version}`,
    );
  }
  if (!sameDigest(encodeCanonical(plugin.configuration), encodeCanonical(configuration))) {
    throw new PluginError(
      'PLUGIN_CONFIGURATION',
      { plugin: name, found: plugin.configuration, expected: configuration },
      `plugin ${name} is configured otherwise than when the trace was recorded`,
    );
  }
  return plugin;
}

function findPlugin(plugins: NonNullable<MachineParts['plugins']>, name: string): Plugin | PluginFactory | undefined {
  if (isList(plugins)) return plugins.find((plugin) => plugin.name === name);
  return Object.hasOwn(plugins, name) ? plugins[name] : undefined;
}

function isList(plugins: NonNullable<MachineParts['plugins']>): plugins is readonly Plugin[] {
  return Array.isArray(plugins);
}
