import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { namedPlugins, pluginsFor, recordedPlugin } from '../../src/guest/plugins.js';

const SIZE = { processors: 2, memoryBytes: 2 ** 26 };
const folder = mkdtempSync(join(tmpdir(), 'retrovisor-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What every machine has. */
const DEVICES = [
  ...['debug-console', 'uart', 'pic', 'pit', 'io-apic', 'hpet', 'rtc', 'pci', 'ps2'],
  ...['system-control-port', 'acpi-power', 'shutdown-port', 'pc-testdev'],
  'fw-cfg',
];

const namesFor = async (profile: string, options = {}) =>
  (await pluginsFor(profile, { plugin: [], ...options }, SIZE)).map(({ name }) => name);

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('the plugins of a machine', () => {
  it('are those of the vendor, and the devices', async () => {
    expect(await namesFor('intel-server')).toEqual(['vmx', ...DEVICES]);
    expect(await namesFor('amd-server')).toEqual(['svm', ...DEVICES]);
  });

  it('have a TLB that keeps translations if --tlb says so, and a trace finds it by its name', async () => {
    expect(await namesFor('intel-server', { tlb: 'stale' })).toContain('stale-tlb');
    expect(await namesFor('intel-server', { tlb: 'coherent' })).not.toContain('stale-tlb');
    expect(recordedPlugin({ name: 'stale-tlb' })?.name).toBe('stale-tlb');
  });

  it('are there once when they are asked for again', async () => {
    expect(await namesFor('intel-server', { plugin: ['vmx', 'vmx'] })).toEqual([...DEVICES, 'vmx']);
  });

  it('have NUMA with a machine by name, fitted to the size', async () => {
    expect(await namesFor('intel-server', { numa: 'xeon-platinum-8360y' })).toContain('numa');
    await expect(namesFor('intel-server', { numa: 'cray-1' })).rejects.toThrow('xeon-platinum-8360y');
    await expect(namesFor('intel-server', { plugin: ['numa'] })).rejects.toThrow('--numa');
  });
});

describe('a plugin of the user', () => {
  it('is loaded from TypeScript with the very core that runs it', async () => {
    const path = write(
      'counter.ts',
      `import { definePlugin, PLUGIN_API_VERSION } from '@retrovisor/core';
       export const counter = definePlugin({ name: 'counter', version: '1.0.0', apiVersion: PLUGIN_API_VERSION as number });
       export default counter;`,
    );
    expect((await namedPlugins([path])).map(({ name }) => name)).toEqual(['counter']);
  });

  it('that is not there, or is none, is refused', async () => {
    await expect(namedPlugins(['@nobody/plugin'])).rejects.toThrow('@nobody/plugin cannot be loaded');
    await expect(namedPlugins([write('empty.ts', 'export const nothing = 1;')])).rejects.toThrow('exports 0 plugins');
    await expect(namedPlugins([write('image.bin', '\x7fELF')])).rejects.toThrow(
      /image.bin cannot be loaded: Unknown file/,
    );
    await expect(namedPlugins([folder])).rejects.toThrow('cannot be loaded');
    await expect(namedPlugins([write('not.json.ts', 'export default {')])).rejects.toThrow('cannot be parsed');
  });
});
