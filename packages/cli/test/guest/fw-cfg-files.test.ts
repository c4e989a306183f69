import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { fwCfgFiles } from '../../src/guest/fw-cfg-files.js';
import { pluginsFor, recordedPlugin } from '../../src/guest/plugins.js';

const folder = mkdtempSync(join(tmpdir(), 'retrovisor-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'answer');
writeFileSync(path, 'from a file');

it('files of fw_cfg are texts, or what is in a file', () => {
  const { files = {} } = fwCfgFiles(['name=opt/a,string=1,2=3', `opt/b,file=${path}`]);
  expect(Object.entries(files).map(([name, bytes]) => [name, new TextDecoder().decode(bytes)])).toEqual([
    ['opt/a', '1,2=3'],
    ['opt/b', 'from a file'],
  ]);
  expect(fwCfgFiles()).toEqual({});
});

it('what is no file of fw_cfg is refused', () => {
  for (const option of ['opt/a', 'name=opt/a', 'name=,string=x', 'opt/a,text=x'])
    expect(() => fwCfgFiles([option])).toThrow('name=N,file=F or name=N,string=S is expected');
  expect(() => fwCfgFiles(['opt/a,string=1', 'opt/a,string=2'])).toThrow('twice');
  expect(() => fwCfgFiles([`opt/a,file=${join(folder, 'missing')}`])).toThrow('no such file');
});

it('the device of a trace has the files that it was recorded with', async () => {
  const options = { plugin: [], commandLine: 'quiet', fwCfg: ['opt/a,string=x'] };
  const plugins = await pluginsFor('intel-server', options, { processors: 1, memoryBytes: 2 ** 24 });
  const { configuration } = plugins.find(({ name }) => name === 'fw-cfg') ?? expect.fail();
  expect(configuration).toEqual({ commandLine: 'quiet', files: { 'opt/a': Uint8Array.of(0x78) } });
  expect(recordedPlugin({ name: 'fw-cfg', configuration })?.configuration).toEqual(configuration);
});
