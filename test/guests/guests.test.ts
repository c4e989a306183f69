// Every guest of this folder does on this machine what it did on QEMU, and is what its source builds.
import { execSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findGuests, runOnMachine } from './guest.js';

const isInstalled = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

describe.each(findGuests().map((guest) => [guest.name, guest] as const))('%s', (_name, guest) => {
  const { description, expected, folder, image } = guest;
  const tools = description.build.split('&&').map((command) => command.trim().split(' ')[0] ?? '');

  it('does what is expected', async () => {
    const { from, ...result } = expected ?? { from: '' };
    expect(from, 'expected.json says where it is from').not.toBe('');
    expect(await runOnMachine(guest)).toEqual(result);
  });

  it.skipIf(!tools.every(isInstalled))('is what its source builds (skipped where a tool is missing)', () => {
    const scratch = mkdtempSync(join(tmpdir(), 'retrovisor-guest-'));
    try {
      const OUT = join(scratch, description.image);
      execSync(description.build, { cwd: folder, env: { ...process.env, OUT } });
      expect(readFileSync(OUT).equals(readFileSync(image))).toBe(true);
    } finally {
      rmSync(scratch, { recursive: true });
    }
  });
});
