// The header: everything that makes the machine and its initial state again, except code. Profiles and plugins are named,
// not contained; a digest of the profile's data tells whether it is still the same one.
import type { BootImage } from '../boot/boot-image.js';
import { TraceFormatError } from '../error.js';
import type { Plugin } from '../plugin/define.js';
import type { MachineDefinition, RandomSchedule } from '../plugin/host.js';
import type { ProcessorProfile } from '../profile/profile.js';
import { decodeCanonical, encodeCanonical } from './canonical.js';
import { dataDigest, formatDigest } from './digest.js';
import { describeFound } from './found.js';
import { RETROVISOR_VERSION } from './recorder-version.js';

/** A plugin as a trace names it. */
export interface RecordedPlugin {
  readonly name: string;
  readonly version: string;
  /** What distinguishes the instance: plain data (PluginDeclaration.configuration). */
  readonly configuration?: unknown;
  /** Versions of its slices, if it has them. */
  readonly machineSlice?: number;
  readonly processorSlice?: number;
}

/** What a trace says about its machine. */
export interface TraceHeader {
  /** The version of retrovisor that recorded it: for people; what counts are the digests. */
  readonly retrovisor: string;
  readonly profile: { readonly name: string; readonly digest: string };
  readonly processors: number;
  /** Bytes of RAM. */
  readonly memory: number;
  /** Steps of a processor's turn, or the most where they are drawn. */
  readonly quantum: number;
  readonly schedule?: RandomSchedule;
  readonly plugins: readonly RecordedPlugin[];
  readonly boot?: BootImage;
}

/** The header of a machine's traces. */
export function headerOf(definition: MachineDefinition): TraceHeader {
  const { profile, processors, memoryBytes, quantum, schedule, plugins, boot } = definition;
  return {
    retrovisor: RETROVISOR_VERSION,
    profile: { name: profile.name, digest: profileDigest(profile) },
    processors,
    memory: memoryBytes,
    quantum,
    ...(schedule === undefined ? {} : { schedule }),
    plugins: plugins.map(recordedPlugin),
    ...(boot === undefined ? {} : { boot }),
  };
}

function recordedPlugin({ name, version, configuration, machineSlice, processorSlice }: Plugin): RecordedPlugin {
  return {
    name,
    version,
    ...(configuration === undefined ? {} : { configuration }),
    ...(machineSlice === undefined ? {} : { machineSlice: machineSlice.version }),
    ...(processorSlice === undefined ? {} : { processorSlice: processorSlice.version }),
  };
}

/** The digest of what a profile makes a processor do; its title, aliases and sources may be written better. */
export function profileDigest({
  vendor,
  physicalAddressWidth,
  linearAddressWidth,
  cpuid,
  msrs,
}: ProcessorProfile): string {
  return formatDigest(dataDigest({ vendor, physicalAddressWidth, linearAddressWidth, cpuid, msrs }));
}

/** The payload of a header chunk. */
export function encodeHeader(header: TraceHeader): Uint8Array {
  return encodeCanonical(header);
}

/** The header in a payload. @throws TraceFormatError TRACE_HEADER that names the field */
export function decodeHeader(payload: Uint8Array, base: number): TraceHeader {
  const header = new Fields(decodeCanonical(payload, base), 'header', base);
  const profile = header.record('profile');
  const boot = header.optional('boot');
  const schedule = header.optional('schedule');
  return Object.freeze({
    retrovisor: header.text('retrovisor'),
    profile: Object.freeze({ name: profile.text('name'), digest: profile.text('digest') }),
    processors: header.count('processors'),
    memory: header.count('memory'),
    quantum: header.count('quantum'),
    ...(schedule === undefined ? {} : { schedule: Object.freeze({ random: schedule.count('random') }) }),
    plugins: Object.freeze(header.list('plugins').map(decodePlugin)),
    ...(boot === undefined ? {} : { boot: decodeBoot(boot) }),
  });
}

function decodePlugin(plugin: Fields): RecordedPlugin {
  const versions = (['machineSlice', 'processorSlice'] as const)
    .filter((field) => plugin.has(field))
    .map((field) => [field, plugin.count(field)]);
  return Object.freeze({
    name: plugin.text('name'),
    version: plugin.text('version'),
    ...(plugin.has('configuration') ? { configuration: plugin.value('configuration') } : {}),
    ...Object.fromEntries(versions),
  });
}

/** What later boot images add is kept: it comes from this version of retrovisor or a later one of the same format. */
function decodeBoot(boot: Fields): BootImage {
  const mode = boot.text('mode');
  if (mode !== 'real' && mode !== 'protected' && mode !== 'long') return boot.refuse('mode', 'real, protected or long');
  const segments = boot.list('segments').map((segment) => ({
    ...(segment.all as object),
    address: segment.count('address'),
    bytes: segment.bytes('bytes'),
    ...(segment.has('memoryBytes') ? { memoryBytes: segment.count('memoryBytes') } : {}),
  }));
  const registers = boot.optional('registers');
  for (const name of Object.keys(registers?.all ?? {})) registers?.integer(name);
  return Object.freeze({ ...(boot.all as object), mode, entry: boot.count('entry'), segments });
}

/** Plain data whose fields are asked for by type. */
class Fields {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #where: string;
  readonly #offset: number;

  constructor(value: unknown, where: string, offset: number) {
    this.#fields = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
    this.#where = where;
    this.#offset = offset;
  }

  get all(): Readonly<Record<string, unknown>> {
    return this.#fields;
  }

  has(field: string): boolean {
    return Object.hasOwn(this.#fields, field);
  }

  value(field: string): unknown {
    return this.has(field) ? this.#fields[field] : undefined;
  }

  text(field: string): string {
    const value = this.value(field);
    return typeof value === 'string' ? value : this.refuse(field, 'text');
  }

  count(field: string): number {
    const value = this.value(field);
    return Number.isSafeInteger(value) && (value as number) >= 0
      ? (value as number)
      : this.refuse(field, 'a whole number');
  }

  integer(field: string): bigint {
    const value = this.value(field);
    return typeof value === 'bigint' && value >= 0n ? value : this.refuse(field, 'an integer from 0 on');
  }

  bytes(field: string): Uint8Array {
    const value = this.value(field);
    return value instanceof Uint8Array ? value : this.refuse(field, 'bytes');
  }

  record(field: string): Fields {
    return new Fields(this.value(field), `${this.#where}.${field}`, this.#offset);
  }

  optional(field: string): Fields | undefined {
    return this.value(field) === undefined ? undefined : this.record(field);
  }

  list(field: string): readonly Fields[] {
    const value = this.value(field);
    if (!Array.isArray(value)) return this.refuse(field, 'a list');
    return value.map((item: unknown, index) => new Fields(item, `${this.#where}.${field}.${index}`, this.#offset));
  }

  refuse(field: string, expected: string): never {
    const [name, found] = [`${this.#where}.${field}`, this.value(field)];
    throw new TraceFormatError(
      'TRACE_HEADER',
      { offset: this.#offset, field: name, found, expected },
      `${name} of the trace is ${describeFound(found)}, where ${expected} is expected`,
    );
  }
}
