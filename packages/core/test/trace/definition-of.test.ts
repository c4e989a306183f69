import { describe, expect, it } from 'vitest';
import { PluginError, TraceFormatError } from '../../src/error.js';
import { createMachine } from '../../src/machine/machine.js';
import { findProfile } from '../../src/profile/profiles.js';
import { definitionOf, type MachineParts } from '../../src/trace/definition-of.js';
import { headerOf } from '../../src/trace/header.js';
import { openTrace } from '../../src/trace/reader.js';
import { verify } from '../../src/trace/replay.js';
import { record, sampleTrace, tally, tallyMachine } from './recordings.js';

const header = openTrace(sampleTrace().file).header;

function refusal(parts: MachineParts, of = header): unknown {
  try {
    return definitionOf(of, parts);
  } catch (thrown) {
    return thrown;
  }
}

describe('the machine of a trace', () => {
  it('is told by the header', () => {
    expect(header).toMatchObject({
      profile: { name: findProfile('intel-server').name },
      processors: 2,
      memory: 16 * 2 ** 20,
      quantum: 3000,
      plugins: [{ name: 'tally', version: '1.2.3', configuration: { limit: 5n }, machineSlice: 1, processorSlice: 2 }],
      boot: { mode: 'long', entry: 0x10_0000 },
    });
  });

  it('is made again with plugins as a list, or by name', () => {
    for (const plugins of [[tally()], { tally: tally() }, { tally }, { tally, more: tally }]) {
      expect(headerOf(definitionOf(header, { plugins }))).toEqual(header);
    }
  });

  it('cannot be made without a plugin, which is named', () => {
    expect(refusal({})).toMatchObject({ code: 'PLUGIN_MISSING', message: expect.stringContaining('tally 1.2.3') });
    expect(refusal({ plugins: {} })).toBeInstanceOf(PluginError);
    // A name in a file is looked up among what the user gave, not among what every object has.
    expect(refusal({ plugins: {} }, { ...header, plugins: [{ name: 'constructor', version: '1' }] })).toBeInstanceOf(
      PluginError,
    );
  });

  it('is not made with another version of a plugin, unless that is asked for', () => {
    const plugins = [tally({ limit: 5n }, '2.0.0')];
    expect(refusal({ plugins })).toMatchObject({
      code: 'PLUGIN_VERSION',
      details: { plugin: 'tally', found: { version: '2.0.0' }, expected: { version: '1.2.3' } },
    });
    expect(definitionOf(header, { plugins, anyPluginVersion: true }).plugins[0]?.version).toBe('2.0.0');
  });

  it('is not made with a plugin that is configured otherwise', () => {
    expect(refusal({ plugins: [tally({ limit: 5 })] })).toMatchObject({
      code: 'PLUGIN_CONFIGURATION',
      details: { plugin: 'tally' },
    });
  });

  it('is not made of a profile whose data changed', () => {
    const now = findProfile('intel-server');
    const then = { ...now, msrs: { ...now.msrs, 1152: 1n } };
    const old = headerOf(createMachine({ profile: then }).definition);
    expect(refusal({}, old)).toMatchObject({ code: 'TRACE_PROFILE_DIFFERS', details: { profile: now.name } });
    expect(definitionOf(old, { profiles: [then] }).profile).toBe(then);
    expect(refusal({}, { ...old, profile: { name: 'i8086', digest: '' } })).toBeInstanceOf(TraceFormatError);
  });

  it('may have a profile whose source is documented better now', () => {
    const now = findProfile('intel-server');
    const old = headerOf(
      createMachine({ profile: { ...now, title: 'Another', source: 'elsewhere', aliases: [] } }).definition,
    );
    expect(definitionOf(old).profile).toBe(now);
  });

  it('without plugins and image needs nothing', () => {
    const machine = createMachine({ profile: 'amd-server' });
    expect(verify(openTrace(record([], {}, machine).file))).toMatchObject({ positions: 0, digests: 1 });
  });

  it('does not share its image with the file', () => {
    const { file } = record([], {}, tallyMachine());
    const trace = openTrace(file);
    const [segment] = trace.header.boot?.segments ?? [];
    const before = segment?.bytes.slice();
    file.fill(0);
    expect(segment?.bytes).toEqual(before);
  });
});
