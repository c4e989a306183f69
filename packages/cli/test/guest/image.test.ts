import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openGuest } from '../../src/guest/guest.js';
import { type ImageOptions, readImage } from '../../src/guest/image.js';

const MIB = 2 ** 20;
const folder = mkdtempSync(join(tmpdir(), 'retrovisor-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, contents: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, contents);
  return path;
}

/** A kernel of one HLT behind a header that loads the file at 1 MiB. */
const MAGIC = 0x1bad_b002;
const words = Uint32Array.of(MAGIC, 0x1_0000, -(MAGIC + 0x1_0000), MIB, MIB, 0, 0, MIB + 32);
const kernel = write('kernel', Uint8Array.of(...new Uint8Array(words.buffer), 0xf4));

const imageOf = (options: ImageOptions) => readImage(kernel, options, 16 * MIB);
const textsOf = (options: ImageOptions) => {
  const { bytes = new Uint8Array() } = imageOf(options).segments.find(({ what }) => what === 'multiboot texts') ?? {};
  return new TextDecoder('latin1').decode(bytes);
};

describe('a trace', () => {
  const trace = write('run.rvt', Uint8Array.of(0x89, 0x52, 0x56, 0x54, 0x0d, 0x0a, 0x1a, 0x0a, 1, 0, 0, 0));

  it('is no image', () => {
    expect(() => readImage(trace, {}, 16 * MIB)).toThrow(/is a trace, which is no image: retrovisor replay/);
  });

  it('is raw bytes to who says where they are loaded', () => {
    expect(readImage(trace, { load: MIB }, 16 * MIB).segments[0]?.bytes).toHaveLength(12);
  });
});

describe('a multiboot kernel', () => {
  it('is told its file and what --append says', () => {
    expect(textsOf({ append: 'one two' })).toContain(`${kernel} one two\0`);
    expect(textsOf({})).toContain(`${kernel} \0`);
  });

  it('gets the files of --initrd as modules, each with its words', () => {
    const [one, two] = [write('one', 'first'), write('two,2', 'second')];
    const initrd = `${one} a b,${two.replace(',', ',,')}`;
    const modules = imageOf({ initrd }).segments.filter(({ what }) => what === 'module');
    expect(modules.map(({ bytes }) => new TextDecoder().decode(bytes))).toEqual(['first', 'second']);
    expect(textsOf({ initrd })).toContain(`${one} a b\0${two}\0`);
    expect(() => imageOf({ initrd: join(folder, 'missing') })).toThrow('no such file');
  });

  it('finds the memory that -m says in its map', async () => {
    const { machine } = await openGuest(kernel, { plugin: [], memory: 32 * MIB });
    const at = machine.readRegister(0, 'RBX');
    expect(machine.definition.memoryBytes).toBe(32 * MIB);
    expect(machine.state.memory.readValue(at + 8n, 4)).toBe(BigInt(31 * 1024 - 128));
  });
});

it('a script takes neither --append nor --initrd', async () => {
  const path = write('script.mjs', 'export default () => {};');
  await expect(openGuest(path, { plugin: [], append: 'x' })).rejects.toThrow('--append is for images');
  await expect(openGuest(path, { plugin: [], initrd: 'x' })).rejects.toThrow('--initrd is for images');
});
