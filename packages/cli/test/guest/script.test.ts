import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '@retrovisor/core';
import { afterAll, describe, expect, it } from 'vitest';
import { openGuest } from '../../src/guest/guest.js';
import { isScript, loadScript } from '../../src/guest/script.js';

const folder = mkdtempSync(join(tmpdir(), 'retrovisor-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('a script', () => {
  it('is known by its name', () => {
    expect(['a.ts', 'b.mjs', 'c.cts', 'd.js'].every(isScript)).toBe(true);
    expect(['a.bin', 'ts', 'b.ts.gz'].some(isScript)).toBe(false);
  });

  it('gets the very core that runs it, also through what it imports', async () => {
    write('helper.ts', `import { UsageError } from '@retrovisor/core'; export const Class: unknown = UsageError;`);
    const path = write('script.ts', `import { Class } from './helper.js'; export default () => Class;`);
    const { drive } = await loadScript(path);
    expect(await drive(undefined as never)).toBe(UsageError);
  });

  it('says what its machine is; the command line goes before it', async () => {
    const path = write('options.ts', `export const machine = { processors: 4 }; export default () => undefined;`);
    const { machine } = await openGuest(path, { plugin: [] });
    expect(machine.definition).toMatchObject({ processors: 4, profile: { vendor: 'Intel' }, boot: { mode: 'long' } });
    const other = await openGuest(path, { plugin: [], smp: 2, cpu: 'amd-server', memory: 2 ** 20 });
    expect(other.machine.definition).toMatchObject({ processors: 2, profile: { vendor: 'AMD' }, memoryBytes: 2 ** 20 });
  });

  it('that throws is told with its line', async () => {
    const path = write(
      'throws.ts',
      `const x: number = 1;\n\nexport default () => {\n  throw new Error(\`\${x}\`);\n};\n`,
    );
    await expect((await loadScript(path)).drive(undefined as never)).rejects.toThrow(`${path}:4: Error: 1`);
  });

  it.each([
    ['nothing.ts', 'export const a = 1;', 'no default export'],
    ['broken.ts', 'export default (', 'cannot be parsed'],
    ['imports.ts', `import 'no-such-package'; export default () => 1;`, 'cannot be loaded'],
  ])('%s is refused', async (name, text, reason) => {
    await expect(loadScript(write(name, text))).rejects.toThrow(reason);
  });

  it('decides itself how far it runs', async () => {
    const path = write('simple.ts', 'export default () => undefined;');
    await expect(openGuest(path, { plugin: [], maxInstructions: 3 })).rejects.toThrow(
      '--max-instructions is for images',
    );
  });
});

describe('an image', () => {
  it('is loaded where its mode usually has it', async () => {
    const path = write('halt.bin', '\xf4');
    const real = await openGuest(path, { plugin: [], mode: 'real' });
    expect(real.machine.definition.boot).toMatchObject({ mode: 'real', entry: 0x7c00 });
    const long = await openGuest(path, { plugin: [] });
    expect(long.machine.definition.boot).toMatchObject({ mode: 'long', entry: 0x10_0000 });
  });

  it('that cannot be loaded is refused', async () => {
    await expect(openGuest(write('linux', '\x7fELF\x02'), { plugin: [] })).rejects.toThrow('ELF image');
    await expect(openGuest(write('nothing.bin', ''), { plugin: [] })).rejects.toThrow('is empty');
    await expect(openGuest(join(folder, 'missing.bin'), { plugin: [] })).rejects.toThrow('no such file');
  });
});
