// Every guest of this folder does on this machine what it did on QEMU, whichever path executes it, and is what its source
// builds.
import { execSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Random } from '../fuzz/random.js';
import { findGuests, runOnMachine } from './guest.js';

const isInstalled = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

/** Their code has 16 bits throughout, for which none is generated. */
const ONLY_16_BITS: readonly string[] = ['boot-sector'];

describe.each(findGuests().map((guest) => [guest.name, guest] as const))('%s', (name, guest) => {
  const leastGenerated = ONLY_16_BITS.includes(name) ? -1 : 1;
  const { description, expected, folder, image } = guest;
  const { from: _, ...result } = expected ?? { from: '' };
  const tools = description.build.split('&&').map((command) => command.trim().split(' ')[0] ?? '');

  it('does what is expected', async () => {
    expect(expected?.from ?? '', 'expected.json says where it is from').not.toBe('');
    expect((await runOnMachine(guest)).result).toEqual(result);
  });

  it('does the same on the reference path alone', async () => {
    const run = await runOnMachine(guest, { compile: false });
    expect(run.result).toEqual(result);
    expect(run.compiledSteps).toBe(0);
  });

  it('does the same where every block is compiled at once', async () => {
    const run = await runOnMachine(guest, { compile: 0 });
    expect(run.result).toEqual(result);
    expect(run.compiledSteps).toBeGreaterThan(leastGenerated);
  });

  it('does the same in random pieces, whose last blocks take the reference path', async () => {
    const random = new Random(1);
    const run = await runOnMachine(guest, { compile: 0, piece: () => 1 + random.below(40) });
    expect(run.result).toEqual(result);
    expect(run.compiledSteps).toBeGreaterThan(leastGenerated);
    expect(run.compiledSteps).toBeLessThan(run.steps);
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
